/** `troupe start`: a program's registry and its plugins, in a process of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { PluginFolder } from "./support/plugin-folder.ts";

const bin = fileURLToPath(new URL("../src/bin.ts", import.meta.url));

class Started {
  readonly #child: ChildProcess;
  #out = "";

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, ["--conditions=troupe-source", bin, "start", ...args], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#out += text;
      });
  }

  /** Settles when it has said something that fits, or has ended; what it said so far. */
  async said(pattern: RegExp): Promise<string> {
    const ended = once(this.#child, "close");
    while (!pattern.test(this.#out) && this.#child.exitCode === null)
      await Promise.race([once(this.#child.stdout ?? this.#child, "data"), ended]);
    return this.#out;
  }

  async ended(signal?: "SIGTERM"): Promise<{ code: number | null; out: string }> {
    const closed = once(this.#child, "close");
    if (signal !== undefined) this.#child.kill(signal);
    const [code] = await closed;
    return { code, out: this.#out };
  }

  reload(): void {
    this.#child.kill("SIGHUP");
  }
}

test("it serves, reloads its plugins on SIGHUP, keeps them when that fails, and ends on SIGTERM", async () => {
  using folder = new PluginFolder();
  const manifest = folder.worker("guard", "");
  const program = folder.write(
    "program.ts",
    `import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
     import { pluginSet } from ${JSON.stringify(import.meta.resolve("troupe/plugins"))};
     import { createRelay } from ${JSON.stringify(import.meta.resolve("troupe/relay"))};
     const plugins = pluginSet({ relay: createRelay(), plugins: [{ manifest: ${JSON.stringify(manifest)} }] });
     export const registry = setup({ use: { counter: actor({ actions: { one: () => 1 } }) }, plugins });`,
  );
  const started = new Started([program, "--port", "0", "--data", join(folder.path, "data")]);
  const [, endpoint = ""] = /(http:\S+)/.exec(await started.said(/http:\S+ /)) ?? [];
  const answer = await fetch(`${endpoint}/actor/counter/action/one?key=a`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: `{"args":[]}`,
  });
  expect(answer.status).toBe(200);
  started.reload();
  await started.said(/Reloaded the plugins/);
  folder.write("guard/main.ts", "process.exit(1)");
  started.reload();
  expect(await started.said(/Not reloaded/)).toContain("[plugin.required_failed]");
  expect((await fetch(`${endpoint}/readyz`)).status).toBe(200);
  expect(await started.ended("SIGTERM")).toMatchObject({ code: 0 });
});

test("a program without a registry, or that can't be imported, is refused by name", async () => {
  using folder = new PluginFolder();
  const none = await new Started([folder.write("none.ts", "export const other = 1;")]).ended();
  expect(none).toMatchObject({ code: 1, out: expect.stringContaining("[config.no_registry]") });
  const broken = await new Started([folder.write("broken.ts", "throw new Error('as it says');")]).ended();
  expect(broken).toMatchObject({
    code: 1,
    out: expect.stringContaining("as it says [config.program_failed]"),
  });
});
