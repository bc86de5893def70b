/**
 * The isolate process: a runtime's isolates, away from the runtime's own memory, files and environment. It has one
 * socket, inherited as descriptor 3; when that ends, the runtime is gone, and so is the process.
 */
import { Socket } from "node:net";
import { limits } from "@troupe/protocol";
import { leaveSignalsToHost } from "../../../worker/host-ends-it.ts";
import {
  type IsolateEnd,
  type IsolateOrder,
  jsonBody,
  textOf,
  WireKind,
  WireReader,
  WireWriter,
} from "../wire.ts";
import { IsolatePool } from "./isolate-pool.ts";
import { LoadError } from "./load-error.ts";
import { loadIsolate } from "./load-isolate.ts";
import { Lookout } from "./lookout.ts";
import { Outlet } from "./outlet.ts";
import { OwnThread } from "./own-thread.ts";
import { processCpuMs } from "./process-cpu.ts";
import { RunningIsolate } from "./running-isolate.ts";
import { levelStacks } from "./stack.ts";
import { TypeStripper } from "./type-stripper.ts";
import { Unstoppable } from "./unstoppable.ts";

leaveSignalsToHost();
levelStacks();

const socket = new Socket({ fd: 3 });
const reader = new WireReader();
const writer = new WireWriter((bytes) => void socket.write(bytes));
const pool = new IsolatePool();
const types = new TypeStripper();
const thread = new OwnThread();
const lookout = new Lookout();
const unstoppable = new Unstoppable<object>();
const isolates = new Map<number, RunningIsolate>();
/** Ways out; that of an isolate which ended is there until all that it said has left. */
const outlets = new Map<number, Outlet>();
/** Those that are loaded now. */
const loading = new Map<number, { readonly began: number; disposed: boolean }>();
let drained: Promise<void> | undefined;

/** Settles when the runtime takes in what is sent. */
function congested(): Promise<void> | undefined {
  if (socket.writableLength + writer.bytes < limits.isolateOutgoingBytes) return undefined;
  drained ??= new Promise((resolve) => {
    socket.once("drain", () => {
      drained = undefined;
      resolve();
    });
  });
  return drained;
}

/** At once: an exit would wait for the isolates' threads, and one of them may never end. */
function endProcess(): void {
  process.kill(process.pid, "SIGKILL");
}

/** An isolate ended by itself: that is told behind all that it said. */
function ended(number: number, end: IsolateEnd): void {
  isolates.delete(number);
  const left = (): void => {
    outlets.delete(number);
    writer.say(number, WireKind.ended, jsonBody(end));
  };
  const outlet = outlets.get(number);
  if (outlet === undefined) left();
  else outlet.finish(left);
}

async function create(number: number, order: IsolateOrder): Promise<void> {
  const load = { began: performance.now(), disposed: false };
  loading.set(number, load);
  try {
    const loaded = await loadIsolate(order.typescript === true ? await types.strip(order) : order, pool);
    if (load.disposed) return loaded.isolate.dispose();
    writer.say(number, WireKind.loaded);
    const { timeLimitMs } = order;
    const outlet = new Outlet({
      send: (frame) => writer.say(number, WireKind.frame, frame),
      spent: () => writer.say(number, WireKind.spent),
    });
    outlets.set(number, outlet);
    const parts = {
      loaded,
      thread,
      timeLimitMs,
      send: (frame: Uint8Array): void => outlet.say(frame),
      congested: () => outlet.blocked ?? congested(),
      ended: (why: IsolateEnd): void => ended(number, why),
    };
    isolates.set(number, new RunningIsolate(parts));
  } catch (cause) {
    const end: IsolateEnd =
      cause instanceof LoadError ? cause.end : { code: "failed", message: String(cause) };
    if (!load.disposed) ended(number, end);
  } finally {
    loading.delete(number);
    pool.fill();
  }
}

function dispose(number: number): void {
  const load = loading.get(number);
  if (load !== undefined) load.disposed = true;
  isolates.get(number)?.dispose();
  isolates.delete(number);
  outlets.get(number)?.close();
  outlets.delete(number);
  writer.say(number, WireKind.ended);
}

socket.on("data", (chunk) => {
  for (const { isolate, kind, body } of reader.read(chunk)) {
    if (kind === WireKind.frame || kind === WireKind.frameOfMore) {
      isolates.get(isolate)?.receive(body);
      if (kind === WireKind.frameOfMore) lookout.expect();
    } else if (kind === WireKind.more) outlets.get(isolate)?.more();
    else if (kind === WireKind.create) void create(isolate, JSON.parse(textOf(body)));
    else if (kind === WireKind.dispose) dispose(isolate);
    else if (kind === WireKind.beat) writer.say(isolate, WireKind.beat);
  }
});
socket.on("error", endProcess);
socket.on("close", endProcess);

let long = "[]";

/** Said before it matters: an allocation that fails ends the process without a word. */
function sayWhoRunsLong(): void {
  const oldest = performance.now() - limits.isolateStuckMs;
  const numbers = [
    ...[...isolates].filter(([, isolate]) => isolate.runsLong),
    ...[...loading].filter(([, { began }]) => began < oldest),
  ].map(([number]) => number);
  const now = JSON.stringify(numbers);
  if (now !== long) writer.say(0, WireKind.long, jsonBody(numbers));
  long = now;
}

setInterval(() => {
  sayWhoRunsLong();
  const wallMs = performance.now();
  const oldest = wallMs - limits.pluginOpenTimeoutMs;
  const late = [
    ...[...isolates.values()].filter(({ overdue }) => overdue),
    ...[...loading.values()].filter(({ began }) => began < oldest),
  ];
  if (!unstoppable.look(late, { wallMs, cpuMs: processCpuMs() })) return;
  process.stderr.write("an isolate can't be stopped: the process ends, and all isolates with it\n");
  endProcess();
}, limits.isolateLateLookMs);
