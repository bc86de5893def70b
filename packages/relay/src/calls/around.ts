/**
 * Execution intercepts: the first is the outermost, and the tool or the provider is what the last one's `next` calls.
 *
 * When an intercept has answered, its `next` is revoked: what it left running is given up, and a late call of it throws.
 */
import { relayErrors } from "../errors.ts";
import { Invocation } from "../middleware/invocation.ts";
import { type AroundKind, invokeAround, type MaybePromise } from "../middleware/invoke.ts";
import type { Entry } from "../middleware/level.ts";
import type { MiddlewareShapes } from "../middleware/payloads.ts";
import type { AroundContext } from "../middleware/registration.ts";
import type { Call } from "./call-parts.ts";

/** The two ends of a chain. */
export interface Ends<K extends AroundKind, In, Out> {
  readonly entries: readonly Entry<K>[];
  /** The tool or the provider. */
  readonly inner: (input: In, invocation: Invocation) => Out | PromiseLike<Out>;
  readonly payload: (input: In) => MiddlewareShapes[K]["payload"];
  /** Checks what an intercept answered. */
  readonly outcome: (entry: Entry<K>, answer: MiddlewareShapes[K]["answer"]) => Out;
  readonly next: (rest: (input: In) => Promise<Out>) => AroundContext<K>["next"];
}

/** Runs the chain with `input`; answers at once where all of it does. */
export function runAround<K extends AroundKind, In, Out>(
  call: Call,
  ends: Ends<K, In, Out>,
  input: In,
): MaybePromise<Out> {
  return step(call, ends, { index: 0, input, above: call.root });
}

interface Step<In> {
  readonly index: number;
  readonly input: In;
  readonly above: Invocation;
}

function step<K extends AroundKind, In, Out>(
  call: Call,
  ends: Ends<K, In, Out>,
  { index, input, above }: Step<In>,
): MaybePromise<Out> {
  const entry = ends.entries[index];
  if (entry === undefined) {
    const invocation = new Invocation(above);
    return invocation.run(() => ends.inner(input, invocation));
  }
  return invokeAround(entry, ends.payload(input), {
    parent: above,
    timers: call.parts.env.timers,
    outcome: ends.outcome,
    makeNext: (invocation) =>
      ends.next((nextInput) =>
        restOf(call, ends, entry.name, { index: index + 1, input: nextInput, above: invocation }),
      ),
  });
}

/** Never throws: what `next` gives is a promise, whatever happens. */
function restOf<K extends AroundKind, In, Out>(
  call: Call,
  ends: Ends<K, In, Out>,
  by: string,
  rest: Step<In>,
): Promise<Out> {
  let answer: MaybePromise<Out>;
  try {
    if (rest.above.settled) throw relayErrors.nextRevoked(by);
    answer = step(call, ends, rest);
  } catch (error) {
    return unhandled(Promise.reject(error));
  }
  return answer instanceof Promise ? unhandled(answer) : Promise.resolve(answer);
}

/** An intercept may leave it running: giving it up then must not be an unhandled rejection. */
function unhandled<T>(rest: Promise<T>): Promise<T> {
  rest.catch(() => {});
  return rest;
}
