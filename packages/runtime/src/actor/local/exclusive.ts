/**
 * Code of an actor's own that is an entry: what `c.exclusive` runs, and messages of raw sockets.
 */
import { entryErrors } from "../../errors.ts";
import type { CallChain, RunningCall } from "../../ports/running-call.ts";
import type { Activation } from "./activation.ts";
import type { Running } from "./activation-services.ts";
import type { Entries } from "./entries.ts";
import { entriesOf } from "./shared-by-calls.ts";

/** Runs `fn` when nobody else is in. Rejects with `actor.not_serial`, `actor.deadlock`, and what `fn` throws. */
export async function exclusively<R>(activation: Activation, fn: () => R | Promise<R>): Promise<R> {
  const entries = entriesOf(activation);
  if (entries === undefined) throw entryErrors.notSerial();
  return await asEntry(activation, entries, fn);
}

/** Runs `fn` as an entry; beside the one that is in, where it is a part of that. */
export async function asEntry<R>(
  activation: Activation,
  entries: Entries,
  fn: () => R | Promise<R>,
): Promise<R> {
  const outer = activation.calls.running;
  const entry = await entries.enter({ chain: outer?.chain, own: true });
  try {
    return await activation.enter(fn, new EntryRun(activation, entry.chain, outer?.depth));
  } finally {
    entry.end();
  }
}

/** Nobody waits for it from outside. */
class EntryRun implements Running, RunningCall {
  readonly activation: Activation;
  readonly chain: CallChain;
  readonly until = undefined;
  readonly depth: number | undefined;

  constructor(activation: Activation, chain: CallChain, depth: number | undefined) {
    this.activation = activation;
    this.chain = chain;
    this.depth = depth;
  }

  get call(): RunningCall {
    return this;
  }

  onAbandoned(): () => void {
    return () => {};
  }
}
