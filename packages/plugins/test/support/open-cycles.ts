/** Plugins that are opened and closed again and again on each carrier, and that fail to: what of it is left. */
import { readdirSync, readFileSync } from "node:fs";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { actor } from "@troupe/runtime";
import koffi from "koffi";
import type { CarrierEvents, OpenCarrier } from "../../src/carrier.ts";
import { isolateCarrier } from "../../src/carriers/isolate/isolate-carrier.ts";
import { IsolateProcess } from "../../src/carriers/isolate/isolate-process.ts";
import { moduleCarrier } from "../../src/carriers/module/module-carrier.ts";
import { nativeCarrier } from "../../src/carriers/native/native-carrier.ts";
import { wasmCarrier } from "../../src/carriers/wasm/wasm-carrier.ts";
import { workerCarrier } from "../../src/carriers/worker/worker-carrier.ts";
import { openSession } from "../../src/session/open-session.ts";
import { PluginSideSession } from "../../src/worker/plugin-session.ts";
import { assemble, op } from "./assemble.ts";
import { cFixture } from "./built.ts";
import { nodeSessionEnv } from "./node-env.ts";
import { PluginFolder } from "./plugin-folder.ts";

/** One carrier: a cycle opens a plugin and closes it, then one that can't be opened or breaks. */
export interface OpenCycle extends AsyncDisposable {
  readonly carrier: string;
  /** Cycles of this one for each that a quick carrier has: a process takes longer than a thread. */
  readonly share: number;
  run(): Promise<void>;
}

const silent: CarrierEvents = { frame: () => {}, ended: () => {} };

async function openAndClose(open: OpenCarrier): Promise<void> {
  const session = await openSession({ env: nodeSessionEnv, open, hostVersion: "0.0.0" });
  await session.close();
}

/** Rejects when it opens all the same. */
async function failing(open: OpenCarrier): Promise<void> {
  const opened = await openSession({ env: nodeSessionEnv, open, hostVersion: "0.0.0" }).catch(
    () => undefined,
  );
  if (opened === undefined) return;
  await opened.close();
  throw new Error("it opened");
}

function cycle(
  carrier: string,
  run: () => Promise<void>,
  { share = 1, dispose = async () => {} }: { share?: number; dispose?: () => Promise<void> } = {},
): OpenCycle {
  return { carrier, share, run, [Symbol.asyncDispose]: dispose };
}

function moduleCycle(): OpenCycle {
  const plugin = {
    name: "echo",
    actors: { echo: actor({ actions: { echo: (_c, value: unknown) => value } }) },
  };
  return cycle("module", async () => {
    await openAndClose(moduleCarrier(async (send) => new PluginSideSession(plugin, send)));
    await failing(moduleCarrier(() => Promise.reject(new Error("it can't"))));
  });
}

function isolateCycle(): OpenCycle {
  const isolates = new IsolateProcess(nodeSessionEnv);
  const of = (source: string) =>
    isolateCarrier(isolates, { name: "echo", source, memoryLimit: 16, timeLimitMs: 60_000 });
  const run = async (): Promise<void> => {
    await openAndClose(
      of('import { actor } from "troupe"; export default actor({ actions: { a: () => 1 } });'),
    );
    await failing(of("export default 1;"));
  };
  return cycle("isolate", run, { share: 0.5, dispose: () => isolates.close() });
}

function wasmCycle(): OpenCycle {
  const [good, bad] = [assemble(), assemble({ code: { start: op.unreachable } })];
  const run = async (): Promise<void> => {
    await (await wasmCarrier({ wasm: async () => good })(silent)).close(60_000);
    await failing(wasmCarrier({ wasm: async () => bad }));
  };
  return cycle("wasm", run, { share: 0.2 });
}

async function nativeCycle(): Promise<OpenCycle | undefined> {
  const built = await cFixture("odd", ["-DVERSION='1'"]);
  if (built.missing !== undefined) return undefined;
  const way = (letter: string) =>
    nativeCarrier({ library: built.path, config: new TextEncoder().encode(letter) });
  return cycle("native", async () => {
    await openAndClose(way("r"));
    await failing(way("o"));
    await failing(way("b"));
  });
}

function workerCycle(): OpenCycle {
  const folder = new PluginFolder();
  const sdk = JSON.stringify(new URL("../../src/worker.ts", import.meta.url).href);
  folder.write(
    "main.mjs",
    `import { serveWorker } from ${sdk}; await serveWorker({ name: "echo", middleware: [] });`,
  );
  folder.write("ends.mjs", "process.exit(3);");
  const of = (entrypoint: string) => {
    const rest = { args: [], env: [], sha256: undefined, files: new Map<string, string>() };
    const load = { kind: "worker", runtime: "node", entrypoint, ...rest } as const;
    return workerCarrier({ plugin: "echo", env: nodeSessionEnv, origin: folder.origin, load });
  };
  const run = async (): Promise<void> => {
    await openAndClose(of("main.mjs"));
    await failing(of("ends.mjs"));
  };
  return cycle("worker", run, { share: 0.02, dispose: async () => folder[Symbol.dispose]() });
}

/** Those of each carrier that this machine has what it takes for. */
export async function openCycles(): Promise<readonly OpenCycle[]> {
  const all = [moduleCycle(), isolateCycle(), wasmCycle(), await nativeCycle(), workerCycle()];
  return all.filter((one) => one !== undefined);
}

/** What this process holds. */
export interface Held {
  readonly descriptors: number;
  readonly threads: number;
  readonly processes: number;
  /** Of JavaScript and its buffers, after a collection. */
  readonly heapBytes: number;
  /** What malloc has given out: native memory, without what it keeps of what came back. glibc alone says it; else 0. */
  readonly allocatedBytes: number;
  /** When malloc has given back what it can. */
  readonly residentBytes: number;
  /** Of its child processes. */
  readonly childBytes: number;
}

/** Linux alone says it all. */
export function held(): Held {
  // Buffers that the first one finds are given back by a thread of the engine's; the second waits for it.
  collectGarbage();
  collectGarbage();
  const allocatedBytes = allocated();
  const { heapUsed, external, rss } = process.memoryUsage();
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean);
  return {
    descriptors: readdirSync("/proc/self/fd").length,
    threads: readdirSync("/proc/self/task").length,
    processes: children.length,
    heapBytes: heapUsed + external,
    allocatedBytes,
    residentBytes: rss,
    childBytes: children.reduce((bytes, pid) => bytes + residentOf(pid), 0),
  };
}

/** 0 for one that has ended meanwhile. */
function residentOf(pid: string): number {
  try {
    return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

interface Malloc {
  /** In use, of all arenas, and what was mapped for large pieces. */
  info(): { readonly uordblks: number; readonly hblkhd: number };
  trim(pad: number): number;
}

let malloc: Malloc | undefined;

/** What malloc has given out; it gives back to the machine what it keeps. */
function allocated(): number {
  malloc ??= glibc();
  malloc.trim(0);
  const { uordblks, hblkhd } = malloc.info();
  return uordblks + hblkhd;
}

function glibc(): Malloc {
  try {
    const libc = koffi.load("libc.so.6");
    const fields = ["arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks"];
    const sizes = [...fields, "fordblks", "keepcost"].map((name) => [name, "size_t"]);
    koffi.struct("mallinfo2", Object.fromEntries(sizes));
    return { info: libc.func("mallinfo2 mallinfo2()"), trim: libc.func("int malloc_trim(size_t)") };
  } catch {
    return { info: () => ({ uordblks: 0, hblkhd: 0 }), trim: () => 0 };
  }
}

let collect: (() => void) | undefined;

function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as () => void;
  }
  collect();
}
