/**
 * Makes an isolate and loads a source into it.
 *
 * The guest's program is first; then what it left for us is taken, and the global that it left it in is deleted; then
 * the source, which may import `MODULES`. The limits hold from the first line of the source on. The isolate has one
 * function of ours, which gives random bytes; it blocks the isolate alone.
 */
import { randomBytes } from "node:crypto";
import { limits } from "@troupe/protocol";
import ivm from "isolated-vm";
import { ProcessMailbox } from "../mailbox.ts";
import type { IsolateEnd, IsolateOrder, Place } from "../wire.ts";
import { runGuest } from "./cached-guest.ts";
import { endOf, type LoadedIsolate } from "./running-isolate.ts";

/** What stops a load. */
export class LoadError extends Error {
  readonly end: IsolateEnd;

  constructor(end: IsolateEnd) {
    super(end.message);
    this.end = end;
  }
}

/** The source's name in stack traces. */
const FILENAME = "actor.js";

/** What a source may import, and what it finds there. */
const MODULES: Readonly<Record<string, string>> = {
  troupe: "export const { actor, event, queue, TroupeError, UserError } = troupeIsolate.module;",
  "troupe/db": "export const { db } = troupeIsolate.module;",
  "troupe/workflow": "export const { CriticalError, Loop, RollbackError, workflow } = troupeIsolate.module;",
};

/** At most so many random bytes at once, as the platform's getRandomValues gives. */
const RANDOM_BYTES_AT_ONCE = 65_536;

/** Loads. Rejects with a LoadError; nothing is left of the isolate then. */
export async function loadIsolate(order: IsolateOrder): Promise<LoadedIsolate> {
  const isolate = new ivm.Isolate({
    memoryLimit: order.memoryLimit,
    // The engine has lost its footing: whatever else it did in this process can't be trusted either.
    onCatastrophicError: () => process.abort(),
  });
  try {
    return await load(isolate, order);
  } catch (cause) {
    const end =
      cause instanceof LoadError
        ? cause.end
        : endOf(cause, isolate, { began: 0n, timeLimitMs: order.timeLimitMs });
    if (!isolate.isDisposed) isolate.dispose();
    throw new LoadError(end);
  }
}

async function load(isolate: ivm.Isolate, order: IsolateOrder): Promise<LoadedIsolate> {
  const context = await isolate.createContext();
  await runGuest(isolate, context);
  const guest: ivm.Reference = await context.global.get("troupeIsolate", { reference: true });
  const [prepare, loadModule, enter, endTurn] = await Promise.all(
    ["prepare", "load", "enter", "endTurn"].map((name) => guest.get(name, { reference: true })),
  );
  if (!prepare || !loadModule || !enter || !endTurn) throw new RangeError("The guest's program is whole");
  const mailbox = new ProcessMailbox(limits.isolateMailboxBytes);
  await prepare.apply(undefined, [new ivm.Callback(random), shared(mailbox.memory)]);
  const modules = await Promise.all(
    Object.entries(MODULES).map((module) => compiled(isolate, context, module)),
  );
  await context.global.delete("troupeIsolate");
  const namespace = await evaluate(isolate, { context, modules: new Map(modules), order });
  const wrong = await timed(isolate, order, () =>
    loadModule.apply(undefined, [namespace.derefInto(), order.name], { timeout: order.timeLimitMs }),
  );
  if (wrong !== undefined)
    throw new LoadError({
      code: "no_definition",
      message: "The module's default export isn't what `actor({ … })` gives",
    });
  return { isolate, enter, endTurn, mailbox };
}

/** One of our modules, by its name. */
async function compiled(
  isolate: ivm.Isolate,
  context: ivm.Context,
  [name, source]: readonly [string, string],
): Promise<readonly [string, ivm.Module]> {
  const module = await isolate.compileModule(source);
  await module.instantiate(context, () => {
    throw new RangeError("It imports nothing");
  });
  await module.evaluate();
  return [name, module];
}

function shared(memory: SharedArrayBuffer): ivm.Copy<SharedArrayBuffer> {
  return new ivm.ExternalCopy(memory).copyInto({ release: true });
}

function random(length: unknown): Uint8Array {
  const bytes = Math.trunc(Number(length));
  if (!(bytes >= 0 && bytes <= RANDOM_BYTES_AT_ONCE))
    throw new RangeError(`At most ${RANDOM_BYTES_AT_ONCE} bytes`);
  return new Uint8Array(randomBytes(bytes));
}

/** The source's namespace, once it has run. */
async function evaluate(
  isolate: ivm.Isolate,
  of: { context: ivm.Context; modules: ReadonlyMap<string, ivm.Module>; order: IsolateOrder },
): Promise<ivm.Reference> {
  const { context, modules, order } = of;
  const module = await isolate.compileModule(order.source, { filename: FILENAME }).catch((cause: unknown) => {
    throw failed("syntax_error", cause, isolate);
  });
  await module.instantiate(context, (specifier) => {
    const known = modules.get(specifier);
    if (known !== undefined) return known;
    const there = [...modules.keys()].map((name) => JSON.stringify(name)).join(" and ");
    const message = `It imports ${JSON.stringify(specifier)}; there are ${there}, and nothing else`;
    throw new LoadError({ code: "import_refused", message });
  });
  await timed(isolate, order, () => module.evaluate({ timeout: order.timeLimitMs }));
  return module.namespace;
}

/** Runs a step of the source's own. */
async function timed<T>(isolate: ivm.Isolate, order: IsolateOrder, step: () => Promise<T>): Promise<T> {
  const began = isolate.wallTime;
  try {
    return await step();
  } catch (cause) {
    const { timeLimitMs } = order;
    const end = endOf(cause, isolate, { began, timeLimitMs });
    throw end.code === "failed" ? failed("load_failed", cause, isolate) : new LoadError(end);
  }
}

function failed(code: "syntax_error" | "load_failed", cause: unknown, isolate: ivm.Isolate): LoadError {
  if (isolate.isDisposed) return new LoadError(endOf(cause, isolate, { began: 0n, timeLimitMs: Infinity }));
  const said = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  // The engine's own note of the place.
  const message = said.replace(/ \[actor\.js:\d+:\d+\]$/, "");
  const place = placeOf(cause);
  return new LoadError({ code, message, ...(place && { place }) });
}

/** Where in the source: the first place of its file that the trace names. */
function placeOf(cause: unknown): Place | undefined {
  const trace = cause instanceof Error ? `${cause.stack ?? ""}` : "";
  const [, line, column] = /actor\.js:(\d+):(\d+)/.exec(trace) ?? [];
  return line === undefined ? undefined : { line: Number(line), column: Number(column) };
}
