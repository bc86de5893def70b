/** What a worker leaves behind: daemons, which have left its process group and outlived their parents. */
import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createReadStream, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { sourceArguments, type TroupeError } from "@troupe/base";
import type { HostFrame } from "@troupe/protocol/plugin/v1";
import { expect, test } from "vitest";
import { ProcessTree } from "../../src/carriers/processes/process-tree.ts";
import { Strays } from "../../src/carriers/processes/strays.ts";
import type { WorkerBounds } from "../../src/carriers/worker/worker-bounds.ts";
import { workerCarrier } from "../../src/carriers/worker/worker-carrier.ts";
import { daemonChain } from "../support/daemon-chain.ts";
import { nodeSessionEnv } from "../support/node-env.ts";
import { PluginFolder } from "../support/plugin-folder.ts";
import { findPython } from "../support/python.ts";

const sdk = new URL("../../src/worker/host-link.ts", import.meta.url).href;
/** A time of this process's own: by it what was left is found. */
const seconds = String(2_000_000 + process.pid);

/** A worker that has started daemons when it is `ready`: all of them are nobody's children. At a second ping it crashes. */
async function worker(folder: PluginFolder, daemons: number, bounds: WorkerBounds = {}) {
  folder.write(
    "main.mjs",
    `import { execFileSync } from "node:child_process";
     import { connectToHost } from ${JSON.stringify(sdk)};
     const daemons = () => {
       for (let n = 0; n < ${daemons}; n += 1) execFileSync("setsid", ["--fork", "/bin/sleep", "${seconds}"], { stdio: "ignore" });
       link.send({ body: { $case: "pong", value: { number: 1 } } });
     };
     const frame = ({ body }) => (body.value.number === 1 ? daemons() : process.abort());
     const link = await connectToHost({ frame, ended: () => process.exit(0) });`,
  );
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<TroupeError | undefined>();
  const load = { kind: "worker", runtime: "node", entrypoint: "main.mjs", args: [], env: [] } as const;
  const unchecked = { sha256: undefined, files: new Map<string, string>() };
  const options = { plugin: "it", env: nodeSessionEnv, origin: folder.origin, bounds };
  const carrier = await workerCarrier({ ...options, load: { ...load, ...unchecked } })({
    frame: () => ready.resolve(),
    ended: ended.resolve,
  });
  carrier.send(ping(1));
  return { carrier, ready: ready.promise, ended: ended.promise };
}

function ping(number: number): HostFrame {
  return { body: { $case: "ping", value: { number } } };
}

const onLinux = test.skipIf(process.platform !== "linux");

onLinux("daemons that a worker started end with it, when its host closes it", async () => {
  using folder = new PluginFolder();
  const { carrier, ready } = await worker(folder, 3);
  await ready;
  await expect.poll(sleepers).toHaveLength(3);
  await carrier.close(5_000);
  await expect.poll(sleepers).toEqual([]);
});

onLinux("and when it crashes", async () => {
  using folder = new PluginFolder();
  const { carrier, ready, ended } = await worker(folder, 3);
  await ready;
  await expect.poll(sleepers).toHaveLength(3);
  carrier.send(ping(2));
  expect(await ended).toMatchObject({ code: "worker_exited", metadata: { signal: "SIGABRT" } });
  await expect.poll(sleepers).toEqual([]);
});

onLinux("a bomb of daemons has the bounds of any other", async () => {
  using folder = new PluginFolder();
  const { ended } = await worker(folder, 60, { processes: 20 });
  expect(await ended).toMatchObject({ code: "worker_exceeded", metadata: { what: "processes", limit: 20 } });
  await expect.poll(sleepers).toEqual([]);
});

onLinux(
  "daemon after daemon, each of which lives for a moment: all end at once",
  { timeout: 60_000 },
  async (context) => {
    const python = await findPython();
    if (python.missing !== undefined) return context.skip(python.missing);
    using folder = new PluginFolder();
    const program = folder.write("chain.py", daemonChain, 0o755);
    execFileSync("mkfifo", [join(folder.path, "chain")]);
    // One look may find one of them by chance.
    for (let chain = 0; chain < 10; chain += 1) {
      const id = randomBytes(16).toString("hex");
      const reader = createReadStream(join(folder.path, "chain")).resume();
      const [begun, over] = [once(reader, "open"), once(reader, "end")];
      const first = spawn(python.path, [program], {
        env: { TROUPE_WORKER_ID: id },
        stdio: ["ignore", "inherit", "inherit", "pipe"],
      });
      const exit = once(first, "exit");
      await begun;
      first.kill("SIGKILL");
      await exit;
      const tree = new ProcessTree(undefined, new Strays(id, []));
      // As a guardian does it, and as a host.
      if (chain % 2 === 0) tree.kill();
      else await tree.end();
      await over;
    }
  },
);

/** A process with so many children, which do nothing. */
async function family(
  children: number,
): Promise<{ readonly tree: ProcessTree; readonly gone: Promise<unknown> }> {
  const script = `for n in $(seq ${children}); do sleep ${seconds} & done; wait`;
  const child = spawn("/bin/sh", ["-c", script], { stdio: "ignore" });
  const tree = new ProcessTree(child.pid);
  await expect.poll(() => tree.use(Infinity).processes, { timeout: 20_000 }).toBe(children + 1);
  return { tree, gone: once(child, "exit") };
}

onLinux(
  "hundreds that are ended are looked at in turns, between which others have theirs",
  { timeout: 60_000 },
  async () => {
    const { tree, gone } = await family(300);
    let turns = 0;
    let timer = setImmediate(function turn() {
      turns += 1;
      timer = setImmediate(turn);
    });
    try {
      await tree.end();
      // Ten quiet looks at 301, of which one turn has 32.
      expect(turns).toBeGreaterThanOrEqual(10 * Math.floor(301 / 32));
    } finally {
      clearImmediate(timer);
    }
    await gone;
    await expect.poll(sleepers).toEqual([]);
  },
);

onLinux("and all at once by a process that exits while it does that", { timeout: 60_000 }, async () => {
  const module = new URL("../../src/carriers/processes/process-tree.ts", import.meta.url).href;
  const program = `
    import { spawn } from "node:child_process";
    import { once } from "node:events";
    import { ProcessTree } from ${JSON.stringify(module)};
    const child = spawn("/bin/sh", ["-c", "sleep ${seconds} & echo; wait"], { stdio: ["ignore", "pipe", "ignore"], detached: true });
    await once(child.stdout, "data");
    void new ProcessTree(child.pid).end();
    process.exit();`;
  execFileSync(process.execPath, [
    ...sourceArguments(module, undefined),
    "--input-type=module",
    "--eval",
    program,
  ]);
  await expect.poll(sleepers).toEqual([]);
});

function sleepers(): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "latin1").endsWith(`sleep\0${seconds}\0`);
    } catch {
      return false;
    }
  });
}
