/**
 * The program of an isolate, as one script: what it leaves in `troupeIsolate` is taken by the isolate's process before
 * any code of the actor runs.
 *
 * Nothing in here is trusted by anybody: the actor's code shares this realm, and may change every object of the
 * language under it. It can only harm itself, for all that crosses is bytes, and the other side reads them as a
 * stranger's.
 *
 * `enter` is given what came; `endTurn` runs when the microtasks of that are done, and answers with what was said. What
 * is done after a turn may end another turn: then it asks to be called again.
 */
import "./globals.ts";

import { TroupeError, UserError } from "@troupe/base";
import { cloneValue } from "@troupe/protocol";
import { edgeEnv } from "@troupe/runtime/edge";
import { actor, CriticalError, db, event, Loop, queue, RollbackError, workflow } from "@troupe/runtime/guest";
import { readRecords } from "../records.ts";
import { define, host, out, timers } from "./globals.ts";
import { consoleOf, LineLogger } from "./log.ts";
import { isOutOfMemory } from "./out-of-memory.ts";
import { IsolateSession, logFrame } from "./session.ts";
import { sha256 } from "./sha256.ts";

let afterTurn: (() => void)[] = [];
/** An error that nobody caught says that the memory is used up. */
let exhausted = false;
let session: IsolateSession | undefined;

const line = (level: Parameters<typeof logFrame>[0], message: string): void =>
  out.frame(logFrame(level, message));

define({ structuredClone: <T>(value: T): T => cloneValue(value), console: consoleOf(line) });

/** Connects the one function of the outside. */
function prepare(randomBytes: (length: number) => Uint8Array): void {
  host.randomBytes = randomBytes;
}

/** Takes the actor's module. Answers with the code of what is wrong with it. */
function load(namespace: { readonly default?: unknown }, name: string): string | undefined {
  const definition = definitionOf(namespace);
  if (definition === undefined) return "no_definition";
  const platform = edgeEnv();
  const env = {
    ...platform,
    crypto: { ...platform.crypto, digest: async (data: Uint8Array) => sha256(data) },
    log: new LineLogger(line),
    afterTurn: (task: () => void) => void afterTurn.push(task),
  };
  session = new IsolateSession({ env, definition, name, send: (frame) => out.frame(frame), failed });
  return undefined;
}

function enter(records: ArrayBuffer): void {
  try {
    readRecords(new Uint8Array(records), {
      frame: (frame) => session?.receive(frame),
      timerFired: (timer) => guarded(() => timers.fired(timer)),
    });
  } catch (cause) {
    failed(cause);
    if (!exhausted) throw cause;
  }
}

/** What was said, behind one byte: 1 when it has to be called again, 2 when the isolate can't go on. */
function endTurn(): ArrayBuffer {
  const tasks = afterTurn;
  afterTurn = [];
  for (const task of tasks) guarded(task);
  if (exhausted) return EXHAUSTED;
  try {
    const said = out.take(1);
    said[0] = tasks.length > 0 ? 1 : 0;
    return said.buffer;
  } catch (cause) {
    if (isOutOfMemory(cause)) return EXHAUSTED;
    throw cause;
  }
}

/** Taken now: later there may be no room for it. */
const EXHAUSTED = Uint8Array.of(2).buffer;

/** Told of every error before it leaves. */
function failed(cause: unknown): void {
  exhausted ||= isOutOfMemory(cause);
}

/** What a task throws is nobody's but the log's. */
function guarded(task: () => void): void {
  try {
    task();
  } catch (cause) {
    failed(cause);
    new LineLogger(line).error("a timer's task failed", { cause });
  }
}

function definitionOf(namespace: { readonly default?: unknown }): ReturnType<typeof actor> | undefined {
  const value = namespace.default;
  return isDefinition(value) ? value : undefined;
}

function isDefinition(value: unknown): value is ReturnType<typeof actor> {
  return typeof value === "object" && value !== null && "descriptor" in value && "behaviour" in value;
}

Object.assign(globalThis, {
  troupeIsolate: {
    prepare,
    load,
    enter,
    endTurn,
    module: {
      actor,
      CriticalError,
      db,
      event,
      Loop,
      queue,
      RollbackError,
      TroupeError,
      UserError,
      workflow,
    },
  },
});
