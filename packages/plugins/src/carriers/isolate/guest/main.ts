/**
 * The program of an isolate, as one script: what it leaves in `troupeIsolate` is taken by the isolate's process before
 * any code of the actor runs.
 *
 * Nothing in here is trusted by anybody: the actor's code shares this realm, and may change every object of the
 * language under it. It can only harm itself, for all that crosses is bytes, and the other side reads them as a
 * stranger's.
 *
 * `enter` is given what came. What is said stands in the mailbox when the microtasks of that are done, and a mark there
 * asks for `endTurn`, when something is to be done after the turn. That may end another turn: then the mark is there again.
 */
import "./globals.ts";

import { TroupeError, UserError } from "@troupe/base";
import { cloneValue, limits } from "@troupe/protocol";
import { LogLevel } from "@troupe/protocol/actor/v1";
import { edgeEnv } from "@troupe/runtime/edge";
import { actor, CriticalError, db, event, Loop, queue, RollbackError, workflow } from "@troupe/runtime/guest";
import { LogRate, linesDropped } from "../../../log-rate.ts";
import { logFrame } from "../log-frame.ts";
import { readRecords } from "../records.ts";
import { fileApi } from "./files.ts";
import { define, settle, timers } from "./globals.ts";
import { host, out } from "./host.ts";
import { consoleOf, type Line, LineLogger } from "./log.ts";
import { isOutOfMemory } from "./out-of-memory.ts";
import { attachParts } from "./parts.ts";
import { IsolateSession } from "./session.ts";
import { sha256 } from "./sha256.ts";

let afterTurn: (() => void)[] = [];
/** An error that nobody caught says that the memory is used up. */
let exhausted = false;
let session: IsolateSession | undefined;

const lines = new LogRate({
  timers: { set: timers.setTimeout, clear: timers.clear },
  linesPerSecond: limits.isolateLogLinesPerSecond,
  tell: (dropped) => out.frame(logFrame(LogLevel.WARN, linesDropped(dropped))),
});

const line: Line = (level, message, fields) => {
  if (lines.take()) out.frame(logFrame(level, message, fields));
};

define({ structuredClone: <T>(value: T): T => cloneValue(value), console: consoleOf(line) });

/**
 * Connects the one function of the outside, the mailbox, and the program's parts, each by its name and its text. Of shared
 * memory nothing else can be made.
 */
function prepare(
  randomBytes: (length: number) => Uint8Array,
  mailbox: SharedArrayBuffer,
  ...parts: string[]
): void {
  host.randomBytes = randomBytes;
  attachParts(parts);
  settle();
  out.attach(mailbox);
  const prototype: object = Object.getPrototypeOf(mailbox);
  for (const name of Reflect.ownKeys(prototype)) Reflect.deleteProperty(prototype, name);
}

/** Takes the actor's module; `asks`: what of a relay it may ask for, in words. Answers with the code of what is wrong with it. */
function load(namespace: { readonly default?: unknown }, name: string, asks: string): string | undefined {
  let definition: ReturnType<typeof definitionOf>;
  try {
    definition = definitionOf(namespace);
  } catch {
    // Nothing but a module that hasn't run to its end has no value there.
    return "unsettled";
  }
  if (definition === undefined) return "no_definition";
  const platform = edgeEnv();
  const env = {
    ...platform,
    crypto: { ...platform.crypto, digest: async (data: Uint8Array) => sha256(data) },
    log: new LineLogger(line),
    afterTurn: (task: () => void) => {
      afterTurn.push(task);
      out.mark("again");
    },
  };
  session = new IsolateSession({
    ...{ env, definition, name, failed },
    may: new Set(asks.split(" ")),
    send: (frame) => out.frame(frame),
  });
  return undefined;
}

/** For one that was granted folders: what it imports is made of a global that is there for a moment. */
function grantFiles(): void {
  Object.assign(globalThis, { troupeFiles: { ...fileApi } });
}

/** What came: in the mailbox, so many bytes; or itself. */
function enter(came: number | ArrayBuffer): void {
  try {
    readRecords(typeof came === "number" ? out.given(came) : new Uint8Array(came), {
      frame: (frame) => session?.receive(frame),
      timerFired: (timer) => guarded(() => timers.fired(timer)),
    });
  } catch (cause) {
    failed(cause);
    if (!exhausted) throw cause;
  }
}

/** What had no room in the mailbox, and was said before all that is there afterwards. */
function endTurn(): ArrayBuffer | undefined {
  let before: ArrayBuffer | undefined;
  try {
    before = out.overflow()?.buffer;
  } catch (cause) {
    failed(cause);
    if (!exhausted) throw cause;
  }
  const tasks = afterTurn;
  afterTurn = [];
  for (const task of tasks) guarded(task);
  return before;
}

/** Told of every error before it leaves. */
function failed(cause: unknown): void {
  exhausted ||= isOutOfMemory(cause);
  if (exhausted) out.mark("exhausted");
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
    grantFiles,
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
