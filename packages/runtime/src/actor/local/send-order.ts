/**
 * SendOrder: the messages of one connection for one queue come into it in the order in which they were sent.
 *
 * A message is checked before it is stored, and checks may wait: those of several run at once, and what is through first
 * waits for those that were sent before it. Where nothing waits, nothing is kept. Senders without a connection have sent
 * in no order that anybody knows of.
 */
import type { MaybePromise } from "../../ports/storage.ts";

/** The order of one activation's messages. */
export class SendOrder {
  readonly #last = new WeakMap<object, Map<string, Promise<void>>>();

  /** Calls `store` with what was checked, behind all that `sender` has sent to the queue before. Passes errors on. */
  behind<Checked, Stored>(
    { sender, queue }: { readonly sender: object; readonly queue: string },
    checked: MaybePromise<Checked>,
    store: (checked: Checked) => MaybePromise<Stored>,
  ): MaybePromise<Stored> {
    const before = this.#last.get(sender)?.get(queue);
    if (before === undefined && !(checked instanceof Promise)) return store(checked);
    const stored = Promise.all([checked, before]).then(([known]) => store(known));
    const through = Promise.allSettled([stored, before]).then(() => {
      if (this.#last.get(sender)?.get(queue) === through) this.#last.get(sender)?.delete(queue);
    });
    this.#queuesOf(sender).set(queue, through);
    return stored;
  }

  #queuesOf(sender: object): Map<string, Promise<void>> {
    const known = this.#last.get(sender);
    if (known !== undefined) return known;
    const made = new Map<string, Promise<void>>();
    this.#last.set(sender, made);
    return made;
  }
}
