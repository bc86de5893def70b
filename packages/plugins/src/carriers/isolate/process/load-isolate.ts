/**
 * Loads a source into an isolate: it may import what that brings, and nothing else. The limits hold from its first line on.
 */
import ivm from "isolated-vm";
import type { IsolateEnd, IsolateOrder, Place } from "../wire.ts";
import { GrantedPackages } from "./granted-packages.ts";
import type { IsolatePool } from "./isolate-pool.ts";
import { LoadError } from "./load-error.ts";
import { filesModule, type PreparedIsolate } from "./prepared-isolate.ts";
import { endOf, type LoadedIsolate, timeExceeded } from "./running-isolate.ts";

/** The source's name in stack traces. */
const FILENAME = "actor.js";

const UNSETTLED: IsolateEnd = {
  code: "load_failed",
  message:
    "Its top-level await waits for what doesn't come while it is loaded: there are no timers, answers and messages yet",
};
const NO_DEFINITION: IsolateEnd = {
  code: "no_definition",
  message: "The module's default export isn't what `actor({ … })` gives",
};
/** What the engine says of `import()`. */
const NO_IMPORT = "Error: Not supported";
const THERE_IS_NO_IMPORT = "Not supported: there is no import(), only import";

/** Loads. Rejects with a LoadError; nothing is left of the isolate then. */
export async function loadIsolate(order: IsolateOrder, pool: IsolatePool): Promise<LoadedIsolate> {
  const prepared = await pool.take(order.memoryLimit);
  const { isolate } = prepared;
  try {
    return await load(prepared, order);
  } catch (cause) {
    const end = cause instanceof LoadError ? cause.end : endOf(cause, isolate);
    if (!isolate.isDisposed) isolate.dispose();
    throw new LoadError(end);
  }
}

async function load(prepared: PreparedIsolate, order: IsolateOrder): Promise<LoadedIsolate> {
  const { isolate, loadModule, enter, endTurn, mailbox } = prepared;
  const namespace = await evaluate(prepared, order);
  const wrong: unknown = await timed(isolate, order, () =>
    loadModule.apply(undefined, [namespace.derefInto(), order.name, (order.asks ?? []).join(" ")], {
      timeout: order.timeLimitMs,
    }),
  );
  if (wrong === "unsettled") throw new LoadError(UNSETTLED);
  if (wrong !== undefined) throw new LoadError(NO_DEFINITION);
  return { isolate, enter, endTurn, mailbox };
}

/** The source's namespace, once it has run. */
async function evaluate(prepared: PreparedIsolate, order: IsolateOrder): Promise<ivm.Reference> {
  const { isolate, context } = prepared;
  const module = await isolate.compileModule(order.source, { filename: FILENAME }).catch((cause: unknown) => {
    throw failed("syntax_error", cause, isolate);
  });
  if (order.env !== undefined) {
    const own = new ivm.ExternalCopy({ env: { ...order.env } });
    await context.global.set("process", own.copyInto({ release: true }));
  }
  if (order.fetch !== true) await context.global.delete("fetch");
  const modules = new Map([
    ...prepared.modules,
    ...(order.files === true ? await filesModule(prepared) : []),
  ]);
  const packages = new GrantedPackages(isolate, order.packages);
  const find = async (specifier: string, referrer: ivm.Module): Promise<ivm.Module> => {
    const known = modules.get(specifier) ?? (await packages.find(specifier, referrer));
    if (known !== undefined) return known;
    throw new LoadError({
      code: "import_refused",
      message: importRefused(specifier, [...modules.keys()], packages.names),
    });
  };
  // A name that a module doesn't have is found here.
  await module.instantiate(context, find).catch((cause: unknown) => {
    throw cause instanceof LoadError ? cause : failed("syntax_error", cause, isolate);
  });
  await timed(isolate, order, () => module.evaluate({ timeout: order.timeLimitMs }));
  return module.namespace;
}

function importRefused(specifier: string, own: readonly string[], granted: readonly string[]): string {
  const listed = (names: readonly string[]): string => names.map((name) => JSON.stringify(name)).join(", ");
  const packages = granted.length === 0 ? "no packages were granted" : `granted packages: ${listed(granted)}`;
  return `It imports ${JSON.stringify(specifier)}, which isn't there. There are ${listed(own)}; ${packages}`;
}

/** Runs a step of the source's own. */
async function timed<T>(isolate: ivm.Isolate, order: IsolateOrder, step: () => Promise<T>): Promise<T> {
  const began = isolate.wallTime;
  try {
    return await step();
  } catch (cause) {
    const late = !isolate.isDisposed && Number(isolate.wallTime - began) / 1e6 >= order.timeLimitMs;
    throw late ? new LoadError(timeExceeded(order.timeLimitMs)) : failed("load_failed", cause, isolate);
  }
}

function failed(code: "syntax_error" | "load_failed", cause: unknown, isolate: ivm.Isolate): LoadError {
  if (isolate.isDisposed) return new LoadError(endOf(cause, isolate));
  const own = cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
  // Without the engine's own note of the place.
  const said = own.replace(/ \[actor\.js:\d+:\d+\]$/, "");
  const place = placeOf(cause);
  const where = place && { place };
  // Of a source that can't be read the words are the engine's; what one throws that runs is its own.
  if (code === "syntax_error" || isForCallers(cause)) return new LoadError({ code, message: said, ...where });
  if (own === NO_IMPORT) return new LoadError({ code, message: THERE_IS_NO_IMPORT, ...where });
  return new LoadError({ code, message: "The source threw while it was loaded", thrown: said, ...where });
}

/** An error that is made to be told, as in an action: a UserError, or one of our own functions that a source called wrongly. */
function isForCallers(cause: unknown): boolean {
  if (!(cause instanceof Error)) return false;
  const [, from = ""] = /^\s+at (.*)$/m.exec(`${cause.stack ?? ""}`) ?? [];
  return cause.name === "UserError" || (cause.name === "TroupeError" && from.includes("troupe:guest"));
}

/** Where in the source: the first place of its file that the trace names. */
function placeOf(cause: unknown): Place | undefined {
  const trace = cause instanceof Error ? `${cause.stack ?? ""}` : "";
  const [, line, column] = /actor\.js:(\d+):(\d+)/.exec(trace) ?? [];
  return line === undefined ? undefined : { line: Number(line), column: Number(column) };
}
