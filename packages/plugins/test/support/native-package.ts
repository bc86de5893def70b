/** Packages with machine code, which a platform may lack: stories of what is made with them are skipped there, by name. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { beforeEach } from "vitest";

/** The packages, and who of this repository depends on each. */
const homes = { "isolated-vm": "plugins", koffi: "plugins", "@lydell/node-pty": "agent-os" } as const;

export type NativePackage = keyof typeof homes;

/** Where the package can't be loaded: its name and why. Looked at once, in a process of its own: loading may end it. */
export function whyNotLoaded(name: NativePackage, home: string = homes[name]): string | undefined {
  const known = found.get(name + home);
  if (known !== undefined) return known.why;
  const cwd = fileURLToPath(new URL(`../../../${home}`, import.meta.url));
  const args = ["--no-node-snapshot", "--eval", `require(${JSON.stringify(name)})`];
  const { status, stderr } = spawnSync(process.execPath, args, { cwd, encoding: "utf8", timeout: 60_000 });
  const said = /^\w*Error.*$/m.exec(stderr)?.[0] ?? "it ended the process";
  const why = status === 0 ? undefined : `${name} can't be loaded: ${said}`;
  found.set(name + home, { why });
  return why;
}

/** Skips each story of the file that calls it where the package can't be loaded. */
export function needsPackage(name: NativePackage): void {
  beforeEach((context) => {
    const why = whyNotLoaded(name);
    if (why !== undefined) context.skip(why);
  });
}

const found = new Map<string, { readonly why: string | undefined }>();
