/**
 * KeyedCalls: calls with idempotency keys. However often one comes, nothing of it is applied twice.
 *
 *   came ──nobody has its key──▶ running ──its action has ended──▶ kept, and everybody who waits is told
 *     ├── its key is running: it joins, and is told with the others
 *     ├── its key has a result: it is told that
 *     ├── its key has begun in an earlier life, and has no result: `actor.idempotency_cut_off`
 *     └── its key was used with other arguments: `actor.idempotency_conflict`
 *
 * The result is kept in the batch of the action's last turn, errors as well: what the action wrote before it threw counts,
 * so it must not run again. A batch that is taken while an action runs says that its key has begun: part of what the action
 * does may be in it. So after a crash there is the result with all that the action wrote; or nothing of either, and the call
 * runs as if it had never come; or the note alone, and the call isn't run again, since part of it would be applied twice. An
 * action of one turn has no third case. Whose writes a batch holds isn't known everywhere, so the note doesn't ask.
 *
 * A run is nobody's in particular: it has no time of its own. Each caller waits for its own time; when the last one has gone,
 * the action is told, and what it comes to is kept all the same.
 *
 * A key belongs to an action and a caller: another actor, by its id; else whoever the actor's `callerIdentity` says, or
 * without one whoever has the same connection parameters. So nobody gets another one's result by guessing its key.
 *
 * Parameters may be others at each attempt of one call: a token is renewed. A client that has such ones gives the call a
 * ticket, which nobody can guess, and the call is found by either: two names, and what it came to under both.
 */
import type { TimerHandle, TroupeError } from "@troupe/base";
import { bytesToHex, encodeCbor, encodeJson, limits } from "@troupe/protocol";
import { abortOf, actorErrors, idempotencyErrors, notRetryable } from "../../errors.ts";
import { asKept, type CallResult, keepable, resultOf } from "../../idempotency/kept-result.ts";
import { KeptResults } from "../../idempotency/kept-results.ts";
import type { ActionCall, Reply } from "../../ports/instance.ts";
import { FunctionOutput, type Output } from "../../ports/output.ts";
import type { RowChange } from "../../ports/storage.ts";
import type { Activation } from "./activation.ts";
import { answer, say } from "./answer.ts";
import { CallLimit } from "./call-limit.ts";
import type { CallRun } from "./call-run.ts";
import { sameBytes } from "./state-chunks.ts";

/** Takes the one end of a call that is kept. */
export type KeepingReply = Pick<Reply, "ok" | "error">;

/** A call under a key. */
export interface KeyedCall {
  readonly call: ActionCall;
  readonly run: CallRun;
  /** Runs the action, and gives its end to this reply; settles when it has ended. */
  readonly perform: (reply: KeepingReply) => Promise<void>;
}

/** What a call is known by: its caller, and the ticket that it has beside. */
type Ids = readonly [string] | readonly [string, string];

/** The calls with keys of one activation. */
export class KeyedCalls {
  readonly #activation: Activation;
  readonly #results: KeptResults;
  readonly #running = new Map<string, KeyedRun>();

  constructor(activation: Activation) {
    this.#activation = activation;
    this.#results = new KeptResults({
      stored: activation.store,
      wrote: () => activation.wrote(),
      now: () => activation.env.clock.now(),
    });
  }

  /** Runs a call, or lets it join. Settles when its run has ended, or is another call's. Never rejects. */
  async start(keyed: KeyedCall): Promise<void> {
    const { call, run: of } = keyed;
    let ids: Ids;
    let args: Uint8Array;
    try {
      [ids, args] = await this.#name(call, of);
    } catch (cause) {
      answer(this.#activation, call.reply.error(notRetryable(cause)));
      return;
    }
    const running = ids.map((id) => this.#running.get(id)).find((each) => each !== undefined);
    if (running !== undefined) {
      if (running.isOf(args)) running.join(call);
      else answer(this.#activation, call.reply.error(idempotencyErrors.conflict(call.name)));
      return;
    }
    const run = new KeyedRun(this.#activation, {
      run: of,
      args,
      ended: (result) => this.#ended(ids, args, result),
    });
    for (const id of ids) this.#running.set(id, run);
    run.join(call);
    try {
      await this.#run(run, ids, keyed);
    } catch (cause) {
      // The store is gone: nothing ran, and the next activation may be asked.
      this.#over(ids);
      const error = this.#activation.stopping ? actorErrors.stopping() : cause;
      say(this.#activation, run.give({ ok: false, error }));
    }
    this.#activation.work.end("action");
  }

  /** Takes what must be stored. */
  take(into: RowChange[]): void {
    for (const [id, run] of this.#running) if (run.begun) this.#results.begin(id, run.args);
    this.#results.take(into);
  }

  async #run(run: KeyedRun, ids: Ids, { call: { name }, perform }: KeyedCall): Promise<void> {
    const [id, other] = ids;
    const found = this.#results.find(id, other);
    // At once where it can be: between a look at what is kept and the action no other turn fits in.
    const kept = found instanceof Promise ? await found : found;
    if (kept === undefined && !this.#activation.doomed) {
      run.begun = true;
      await perform(run);
      return;
    }
    this.#over(ids);
    if (kept === undefined) {
      // Its end was asked for meanwhile: nothing begins behind it.
      say(this.#activation, run.give({ ok: false, error: actorErrors.destroyed() }));
      return;
    }
    const same = run.isOf(kept.args);
    const result = same
      ? resultOf(kept, name)
      : { ok: false as const, error: idempotencyErrors.conflict(name) };
    say(this.#activation, run.give(result));
  }

  /** In the action's last turn. */
  #ended(ids: Ids, args: Uint8Array, result: CallResult): void {
    this.#over(ids);
    const kept = { args, ...keepable(result) };
    for (const id of ids) this.#results.keep(id, kept);
    const swept = this.#results.sweep();
    if (swept instanceof Promise) swept.catch((cause: unknown) => this.#sweepFailed(cause));
  }

  #over(ids: Ids): void {
    for (const id of ids) this.#running.delete(id);
  }

  /** An activation that ends leaves them to the next one. */
  #sweepFailed(cause: unknown): void {
    if (this.#activation.stopping) return;
    this.#activation.log.warn("old results of idempotency keys could not be forgotten", { cause });
  }

  /** What a call is known by, and what its arguments are. */
  async #name(call: ActionCall, run: CallRun): Promise<[ids: Ids, args: Uint8Array]> {
    const { crypto } = this.#activation.env;
    const idOf = async (caller: string): Promise<string> => {
      const id = await crypto.digest(encodeCbor([call.name, caller, call.idempotencyKey]));
      return bytesToHex(id.subarray(0, 16));
    };
    const [caller, ticket] = await callersOf(call, run);
    const id = await idOf(caller);
    const ids: Ids = ticket === undefined ? [id] : [id, await idOf(ticket)];
    return [ids, await crypto.digest(encodeCbor(call.args, "args"))];
  }
}

interface RunParts {
  readonly run: CallRun;
  readonly args: Uint8Array;
  readonly ended: (result: CallResult) => void;
}

/** One action that runs under a key, and everybody who waits for it. */
class KeyedRun implements KeepingReply {
  /** Its action may have run. */
  begun = false;
  readonly #activation: Activation;
  readonly #of: RunParts;
  readonly #waiting = new Map<ActionCall, TimerHandle | undefined>();
  #first: ActionCall | undefined;

  constructor(activation: Activation, of: RunParts) {
    this.#activation = activation;
    this.#of = of;
  }

  /** The digest of its arguments. */
  get args(): Uint8Array {
    return this.#of.args;
  }

  isOf(args: Uint8Array): boolean {
    return sameBytes(this.args, args);
  }

  /** One more that waits, for its own time. The first one's place among the actor's work is the run's. */
  join(call: ActionCall): void {
    this.#first ??= call;
    const limit = new CallLimit(this.#activation, call);
    const late = (): void => this.#leave(call, limit.error());
    const { timers } = this.#activation.env;
    const timer = limit.ms === Infinity ? undefined : timers.set(late, limit.ms, { background: true });
    this.#waiting.set(call, timer);
    call.onAbandoned?.((reason) => this.#leave(call, abortOf(reason)));
  }

  ok(value: unknown): Output {
    return this.#end({ ok: true, value });
  }

  error(error: unknown): Output {
    return this.#end({ ok: false, error: asKept(error) });
  }

  /** The answers of all who wait, each in its own encoding and all at one place behind the gate, without keeping anything. */
  give(result: CallResult): Output {
    const answers = [...this.#waiting.keys()].map((call) => answerOf(call, result));
    for (const [call, timer] of this.#waiting) this.#forget(call, timer);
    return new FunctionOutput(
      answers.reduce((sum, { bytes }) => sum + bytes, 0),
      () => {
        for (const each of answers) each.release();
      },
      (error) => {
        for (const each of answers) each.fail(error);
      },
    );
  }

  #end(result: CallResult): Output {
    try {
      this.#of.ended(result);
    } catch (cause) {
      // The activation has ended: nothing is kept, and nobody may be told that it is.
      return this.give({ ok: false, error: cause });
    }
    return this.give(result);
  }

  /** One waits no longer. */
  #leave(call: ActionCall, error: TroupeError): void {
    if (!this.#waiting.has(call)) return;
    this.#forget(call, this.#waiting.get(call));
    say(this.#activation, call.reply.error(error));
    if (this.#waiting.size === 0) this.#of.run.abandon(error);
  }

  #forget(call: ActionCall, timer: TimerHandle | undefined): void {
    if (timer !== undefined) this.#activation.env.timers.clear(timer);
    this.#waiting.delete(call);
    if (call !== this.#first) this.#activation.work.end("action");
  }
}

function answerOf({ reply }: ActionCall, result: CallResult): Output {
  try {
    return result.ok ? reply.ok(result.value) : reply.error(result.error);
  } catch (cause) {
    return reply.error(notRetryable(cause));
  }
}

/** Who calls. Parameters may be others at the next attempt: then there is a ticket beside them. */
async function callersOf({ caller, ticket }: ActionCall, run: CallRun): Promise<Ids> {
  if (caller !== undefined) return [caller];
  const { activation, context } = run;
  const { callerIdentity } = activation.behaviour.hooks;
  if (callerIdentity === undefined) {
    const params = `params:${encodeJson(run.conn.params)}`;
    return ticket === undefined ? [params] : [params, `ticket:${ticket}`];
  }
  const identity = await activation.enter(() => callerIdentity(context), run);
  if (typeof identity !== "string" || identity.length > limits.callerIdentityLength)
    throw idempotencyErrors.badIdentity();
  return [`identity:${identity}`];
}
