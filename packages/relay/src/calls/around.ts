/**
 * Execution intercepts: the first is the outermost, and the tool or the provider is what the last one's `next` calls.
 *
 * When an intercept has answered, its `next` is revoked: what it left running is given up, and a late call of it throws. Who failed is told
 * by `blame.ts`.
 */
import { relayErrors } from "../errors.ts";
import { Invocation } from "../middleware/invocation.ts";
import { type AroundKind, invokeAround, type MaybePromise } from "../middleware/invoke.ts";
import type { Entry } from "../middleware/level.ts";
import type { MiddlewareShapes } from "../middleware/payloads.ts";
import type { AroundContext } from "../middleware/registration.ts";
import { Blame } from "./blame.ts";
import type { Call } from "./call-parts.ts";

/** The two ends of a chain. */
export interface Ends<K extends AroundKind, In, Out> {
  readonly entries: readonly Entry<K>[];
  /** The tool or the provider. */
  readonly inner: (input: In, invocation: Invocation) => Out | PromiseLike<Out>;
  readonly payload: (input: In) => MiddlewareShapes[K]["payload"];
  /** Checks what an intercept answered; `hasAsked`: it has called its `next`. */
  readonly outcome: (entry: Entry<K>, answer: MiddlewareShapes[K]["answer"], hasAsked: boolean) => Out;
  readonly next: (rest: (input: In) => Promise<Out>) => AroundContext<K>["next"];
  /** Checks what an intercept gives its `next`. Default: it may be anything. */
  readonly given?: (entry: Entry<K>, input: In) => In;
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
  const blame = new Blame(call, entry);
  let hasAsked = false;
  return invokeAround(entry, ends.payload(input), {
    parent: above,
    timers: call.parts.env.timers,
    outcome: (_entry, answer) => ends.outcome(entry, answer, hasAsked),
    failed: (error) => blame.of(error),
    makeNext: (invocation) =>
      ends.next((nextInput) => {
        hasAsked = true;
        const rest = { index: index + 1, input: nextInput, above: invocation };
        return restOf(call, ends, { entry, blame }, rest);
      }),
  });
}

/** An intercept that calls `next`. */
interface Asker<K extends AroundKind> {
  readonly entry: Entry<K>;
  readonly blame: Blame;
}

/** Never throws: what `next` gives is a promise, whatever happens. */
function restOf<K extends AroundKind, In, Out>(
  call: Call,
  ends: Ends<K, In, Out>,
  { entry, blame }: Asker<K>,
  rest: Step<In>,
): Promise<Out> {
  let input: In;
  try {
    if (rest.above.settled) throw relayErrors.nextRevoked(entry.name);
    input = ends.given === undefined ? rest.input : ends.given(entry, rest.input);
  } catch (error) {
    // Its own doing, and not thrown to it by what is below.
    return unhandled(Promise.reject(error));
  }
  let answer: MaybePromise<Out>;
  try {
    answer = step(call, ends, { ...rest, input });
  } catch (error) {
    blame.gave(error);
    return unhandled(Promise.reject(error));
  }
  if (!(answer instanceof Promise)) return Promise.resolve(answer);
  // An intercept may leave it running: giving it up then must not be an unhandled rejection.
  answer.catch((error: unknown) => blame.gave(error));
  return answer;
}

function unhandled<T>(rest: Promise<T>): Promise<T> {
  rest.catch(() => {});
  return rest;
}
