/**
 * Promises that the runtime hands to an actor's code, which may forget them: what fails then must neither vanish nor end a
 * process full of other actors. It is a line of the log, unless somebody listens by the end of the turn in which it fails.
 *
 * Who listens (`await`, `then`, `catch`, `Promise.all`) has the engine read the promise's `constructor` first (ECMA-262,
 * PromiseResolve and SpeciesConstructor), and that is the sign. From then on the promise is as it was made.
 */
import type { Env, Logger } from "@troupe/base";

/** Whose code has the promises. */
export interface Observer {
  readonly env: Pick<Env, "afterTurn">;
  readonly log: Pick<Logger, "warn">;
  readonly record: { readonly key: readonly string[] };
}

/** What a promise inherits from until somebody listens, by what it was made with. */
const unheard = new WeakMap<object, object>();

/** Sees to it that `promise` doesn't fail in silence: `what` is for the log. Gives it back. */
export function observed<P extends Promise<unknown>>(promise: P, whose: Observer, what: string): P {
  promise.then(undefined, (cause: unknown) => {
    whose.env.afterTurn(() => {
      if (Object.getPrototypeOf(promise) !== own)
        whose.log.warn(`${what} failed, and nobody awaits it`, { key: whose.record.key, cause });
    });
  });
  const own: object = Object.getPrototypeOf(promise);
  Reflect.setPrototypeOf(promise, unheardOf(own));
  return promise;
}

function unheardOf(own: object): object {
  const known = unheard.get(own);
  if (known !== undefined) return known;
  const made: object = Object.create(own, {
    constructor: {
      get(this: object) {
        Reflect.setPrototypeOf(this, own);
        return Promise;
      },
    },
  });
  unheard.set(own, made);
  return made;
}
