/**
 * LeakWatch: which timers and sockets the code of actors has made and not ended.
 *
 * Node tells of each one when it is made, in the async context that makes it, and when it is gone. What doesn't keep the
 * process alive (`unref`, a connection that a pool keeps for later) is nobody's leak.
 */
import { type AsyncHook, createHook } from "node:async_hooks";
import type { Timers } from "@troupe/base";
import type { ActorRecord } from "../ports/directory.ts";
import type { Leak } from "../testing/errors.ts";

/** Node's names of what is watched. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ["Timeout", "a timer"],
  ["TCPWRAP", "a socket"],
  ["PIPEWRAP", "a socket"],
  ["UDPWRAP", "a socket"],
  ["TCPSERVERWRAP", "a server"],
  ["PIPESERVERWRAP", "a server"],
]);

const STACK_LINES = 4;
/** Deep enough to see past Node's own frames. */
const STACK_DEPTH = 40;

interface Referable {
  readonly hasRef?: () => boolean;
}

interface Open extends Leak {
  readonly resource: Referable;
}

/** What is being closed when the test ends, a child process or a socket, has this long. Milliseconds. */
const GRACE_MS = 3_000;
const LOOK_EVERY_MS = 10;

/** Watches from when it is made until it is closed. */
export class LeakWatch {
  readonly #running: () => ActorRecord | undefined;
  readonly #open = new Map<number, Open>();
  readonly #hook: AsyncHook;

  /** `running` tells whose code runs now. */
  constructor(running: () => ActorRecord | undefined) {
    this.#running = running;
    this.#hook = createHook({
      init: (id, type, _trigger, resource) => this.#made(id, type, resource),
      destroy: (id) => void this.#open.delete(id),
    });
    this.#hook.enable();
  }

  /** What is there still after a grace period and keeps the process alive. Nothing is watched any more. */
  async close(timers: Timers): Promise<readonly Leak[]> {
    for (let waitedMs = 0; waitedMs < GRACE_MS && this.#left().length > 0; waitedMs += LOOK_EVERY_MS) {
      await new Promise<void>((resolve) => void timers.set(resolve, LOOK_EVERY_MS));
    }
    this.#hook.disable();
    return this.#left();
  }

  #left(): readonly Leak[] {
    return [...this.#open.values()].filter(({ resource }) => resource.hasRef?.() !== false);
  }

  #made(id: number, type: string, resource: Referable): void {
    const what = KINDS.get(type);
    if (what === undefined) return;
    const record = this.#running();
    if (record === undefined) return;
    const actor = `${record.name} ${JSON.stringify(record.key)}`;
    this.#open.set(id, { what, actor, stack: ownFrames(), resource });
  }
}

/** The frames that aren't Node's or this file's. */
function ownFrames(): string[] {
  const depth = Error.stackTraceLimit;
  Error.stackTraceLimit = STACK_DEPTH;
  const here = { stack: "" };
  Error.captureStackTrace(here, ownFrames);
  Error.stackTraceLimit = depth;
  const frames = here.stack.split("\n").filter((line) => /^\s*at /.test(line));
  return frames
    .filter((line) => !line.includes("node:") && !line.includes("leak-watch"))
    .slice(0, STACK_LINES)
    .map((line) => line.trim());
}
