/** Calls one registered middleware, within its deadline. */
import type { Timers } from "@troupe/base";
import { relayErrors } from "../errors.ts";
import { type Deadline, Invocation } from "./invocation.ts";
import type { MiddlewareKind } from "./kinds.ts";
import type { Entry } from "./level.ts";
import type { MiddlewareShapes } from "./payloads.ts";
import type { AroundContext, MiddlewareContext } from "./registration.ts";

/** A kind that goes around the rest of the call. */
export type AroundKind = "tool_execution_intercept" | "llm_execution_intercept" | StreamKind;
/** A kind that goes around a stream: it has ended when its stream has. */
export type StreamKind = "llm_stream_execution_intercept";
/** A kind without `next`. */
export type PlainKind = Exclude<MiddlewareKind, AroundKind>;

/** A context whose signal is made when it is asked for. */
class Context implements MiddlewareContext {
  readonly #invocation: Invocation;

  constructor(invocation: Invocation) {
    this.#invocation = invocation;
  }

  get signal(): AbortSignal {
    return this.#invocation.signal;
  }
}

class ContextWithNext<K extends AroundKind> extends Context implements AroundContext<K> {
  readonly next: AroundContext<K>["next"];

  constructor(invocation: Invocation, next: AroundContext<K>["next"]) {
    super(invocation);
    this.next = next;
  }
}

/** An answer, or the promise of one. */
export type MaybePromise<T> = T | Promise<T>;

/** The answer of `entry`, at once where it answers at once. Throws what it throws, `relay.deadline_exceeded`, or what `parent` is given up with. */
export function invoke<K extends PlainKind>(
  entry: Entry<K>,
  payload: MiddlewareShapes[K]["payload"],
  parent: Invocation | undefined,
  timers: Timers,
): MaybePromise<MiddlewareShapes[K]["answer"]> {
  const invocation = new Invocation(parent);
  const context = new Context(invocation);
  return invocation.run(() => entry.handle(payload, context), deadlineOf(entry, timers));
}

/** The answer of `entry` as it is: what it promises isn't waited for, and may fail unheard. */
export function askAtOnce<K extends PlainKind>(
  entry: Entry<K>,
  payload: MiddlewareShapes[K]["payload"],
): unknown {
  const answer = entry.handle(payload, new Context(new Invocation()));
  if (answer instanceof Promise) answer.catch(() => {});
  return answer;
}

/** As `invoke`, for what goes around the rest of a call. `makeNext` gets the invocation that the rest is below. */
export function invokeAround<K extends AroundKind, Out>(
  entry: Entry<K>,
  payload: MiddlewareShapes[K]["payload"],
  around: {
    readonly parent: Invocation;
    readonly timers: Timers;
    readonly makeNext: (invocation: Invocation) => AroundContext<K>["next"];
    /** Checks the answer. */
    readonly outcome: (entry: Entry<K>, answer: MiddlewareShapes[K]["answer"]) => Out;
    /** What is thrown where it failed. */
    readonly failed: (error: unknown) => unknown;
  },
): MaybePromise<Out> {
  const invocation = new Invocation(around.parent);
  const context = new ContextWithNext<K>(invocation, around.makeNext(invocation));
  const over = (): void => invocation.close(() => relayErrors.nextRevoked(entry.name));
  const failed = (error: unknown): never => {
    over();
    throw around.failed(error);
  };
  const answered = (known: MiddlewareShapes[K]["answer"]): Out => {
    over();
    return around.outcome(entry, known);
  };
  try {
    const answer = invocation.run(() => entry.handle(payload, context), deadlineOf(entry, around.timers));
    return answer instanceof Promise ? answer.then(answered).catch(failed) : answered(answer);
  } catch (error) {
    return failed(error);
  }
}

/** As `invokeAround`, for what goes around a stream: `next` outlives the answer, its reader ends the invocation. */
export function invokeStream<K extends StreamKind>(
  entry: Entry<K>,
  payload: MiddlewareShapes[K]["payload"],
  around: {
    readonly invocation: Invocation;
    readonly timers: Timers;
    readonly next: AroundContext<K>["next"];
  },
): MaybePromise<MiddlewareShapes[K]["answer"]> {
  const { invocation, timers, next } = around;
  const context = new ContextWithNext<K>(invocation, next);
  return invocation.run(() => entry.handle(payload, context), deadlineOf(entry, timers));
}

function deadlineOf(entry: Entry, timers: Timers): Deadline | undefined {
  const { kind, name, deadlineMs: ms } = entry;
  if (ms === null) return undefined;
  return { timers, ms, error: () => relayErrors.deadlineExceeded(kind, name, ms) };
}
