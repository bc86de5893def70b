/** A host that is gone, however it went: nothing that it started is left, whatever that does. */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test, vi } from "vitest";
import { daemonChain } from "../support/daemon-chain.ts";
import { children } from "../support/dynamic-world.ts";
import { needsPackage, whyNotLoaded } from "../support/native-package.ts";
import { PluginFolder } from "../support/plugin-folder.ts";
import { commandOf } from "../support/processes.ts";
import { findPython } from "../support/python.ts";

needsPackage("isolated-vm");

const soon = { timeout: 15_000, interval: 50 };

/** A daemon too: it has left the group, and its parent ends. */
const shell = `#!/bin/sh
trap '' TERM INT HUP
(setsid sh -c 'echo $$ > daemon; while :; do sleep 1; done' &)
while :; do :; done
`;

/** A host whose workers loop or stand still, in three languages; its isolates' process stands still. */
async function startHost() {
  const folder = new PluginFolder();
  const pidFile = (name: string) => `${folder.path}/${name}`;
  const programs = [
    [
      "node",
      "loops.mjs",
      'import { writeFileSync } from "node:fs"; writeFileSync("loops", String(process.pid)); for (;;);',
    ],
    [
      "node",
      "stopped.mjs",
      'import { writeFileSync } from "node:fs"; writeFileSync("stopped", String(process.pid)); process.kill(process.pid, "SIGSTOP");',
    ],
    ["command", "shell", shell],
  ];
  const python = await findPython();
  const inPython =
    'import os\nos.chdir(os.path.dirname(os.path.abspath(__file__)))\nopen("python", "w").write(str(os.getpid()))\nwhile True: pass\n';
  let begun: Promise<unknown> | undefined;
  let linksOver: Promise<unknown> | undefined;
  if (python.missing === undefined) {
    programs.push(["python", "loops.py", inPython], ["python", "chain.py", daemonChain]);
    execFileSync("mkfifo", [pidFile("chain")]);
    const links = createReadStream(pidFile("chain")).resume();
    begun = once(links, "open");
    linksOver = once(links, "end");
  }
  const args = programs.map(
    ([runtime, name = "", source = ""]) => `${runtime}:${folder.write(name, source, 0o755)}`,
  );
  const program = new URL("../support/host-of-workers.ts", import.meta.url).pathname;
  const host = spawn(process.execPath, ["--conditions=troupe-source", program, folder.path, ...args], {
    detached: true,
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => {
    host.kill("SIGKILL");
    folder[Symbol.dispose]();
  });
  await once(createInterface({ input: host.stdout }), "line");
  await begun;
  const said = ["loops", "stopped", "daemon", ...(python.missing === undefined ? ["python"] : [])];
  await vi.waitFor(
    () =>
      expect(
        said.filter((name) => !existsSync(pidFile(name)) || readFileSync(pidFile(name), "utf8") === ""),
      ).toEqual([]),
    soon,
  );
  const pids = [...children(host.pid), Number(readFileSync(pidFile("daemon"), "utf8"))];
  onTestFinished(() => {
    for (const line of left(pids)) process.kill(Number.parseInt(line, 10), "SIGKILL");
  });
  const isolates = pids.find((pid) => commandOf(pid).includes("isolate/process/"));
  process.kill(Number(isolates), "SIGSTOP");
  return {
    host,
    pids,
    /** Settles when the last daemon of the chain has no successor. */
    linksOver,
    guardian: () => children(host.pid).filter((pid) => commandOf(pid).includes("guardian-main")),
  };
}

/** Those of them that run, or stand still. */
function left(pids: readonly number[]): string[] {
  return pids
    .filter((pid) => existsSync(`/proc/${pid}`))
    .map((pid) => `${pid} ${commandOf(pid)}`)
    .filter((line) => !/^\d+ $/.test(line));
}

const ends = [
  ["SIGKILL", ["SIGKILL"]],
  ["SIGINT, twice", ["SIGINT", "SIGINT"]],
] as const;

test.skipIf(process.platform !== "linux").for(ends)(
  "a host that is ended by %s leaves nothing of its workers and isolates, which loop or stand still, and no daemon of theirs, be it one after the other",
  { timeout: 60_000 },
  async ([, signals]) => {
    const { host, pids, linksOver } = await startHost();
    const exit = once(host, "exit");
    for (const signal of signals) {
      host.kill(signal);
      // Two that come at once are one.
      await new Promise((resolve) => setImmediate(resolve));
    }
    await exit;
    await vi.waitFor(() => expect(left(pids)).toEqual([]), soon);
    await linksOver;
  },
);

test.skipIf(process.platform !== "linux")(
  "a guardian that was ended has a successor, and one that was stopped goes on: nothing is left behind either",
  { timeout: 60_000 },
  async () => {
    const { host, pids, linksOver, guardian } = await startHost();
    const [first] = guardian();
    process.kill(Number(first), "SIGKILL");
    await vi.waitFor(() => expect(guardian().filter((pid) => pid !== first)).toHaveLength(1), soon);
    const [second] = guardian();
    process.kill(Number(second), "SIGSTOP");
    const state = () => readFileSync(`/proc/${second}/stat`, "latin1").split(") ").at(-1)?.[0];
    await vi.waitFor(() => expect(state()).toBe("T"), { ...soon, interval: 5 });
    await vi.waitFor(() => expect(state()).toMatch(/[SR]/), soon);
    const exit = once(host, "exit");
    host.kill("SIGKILL");
    await exit;
    await vi.waitFor(() => expect(left([...pids, Number(second)])).toEqual([]), soon);
    await linksOver;
  },
);

test.skipIf(process.platform !== "linux")(
  "a guardian that stands still when its host ends is woken by the kernel: nothing is left behind",
  { timeout: 60_000 },
  async (context) => {
    const missing = whyNotLoaded("koffi");
    if (missing !== undefined) context.skip(missing);
    const { host, pids, linksOver, guardian } = await startHost();
    const pid = Number(guardian()[0]);
    const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, "latin1");
    const state = () => read("stat").split(") ").at(-1)?.[0];
    // It has asked the kernel.
    await vi.waitFor(() => expect([read("maps").includes("koffi"), state()]).toEqual([true, "S"]), soon);
    const exit = once(host, "exit");
    // From here its host can't look after it.
    host.kill("SIGSTOP");
    process.kill(pid, "SIGSTOP");
    await vi.waitFor(() => expect(state()).toBe("T"), soon);
    host.kill("SIGKILL");
    await exit;
    await vi.waitFor(() => expect(left([...pids, pid])).toEqual([]), soon);
    await linksOver;
  },
);
