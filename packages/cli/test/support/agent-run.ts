/** `troupe run`, as a process of its own. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { troupeBundle } from "../../../../tools/setup/troupe-bundle.ts";

/** What it said, and how it ended. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Starts it; by default for a user who has no plugins. */
export function startRun(
  args: readonly string[],
  { cwd, env = {} }: { readonly cwd?: string; readonly env?: Readonly<Record<string, string>> } = {},
) {
  const child = spawn(process.execPath, ["--conditions=troupe-source", troupeBundle, "run", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, XDG_CONFIG_HOME: "/nonexistent", ...env },
    ...(cwd === undefined ? {} : { cwd }),
  });
  const ran = Promise.all([once(child, "close"), text(child.stdout), text(child.stderr)]).then(
    ([[code], out, err]): Ran => ({ code, out, err }),
  );
  return { child, ran };
}
