/**
 * Kept: the queues and schedules of an actor whose code leaves them to its host.
 *
 * The parts are those of an actor in TypeScript (`queue/`, `schedule/`), and so are the rows. What the code does about them it
 * asks (`kept-answers.ts`); what they want of the code is a call like any other: of an action that is due, or of the code for a
 * queue's messages, which get there one after the other. The answer ends the schedule's run or the message, in the batch of the
 * Write that is joined to it. With an error, and when the code is gone, the message comes again.
 *
 * While there are messages that the code wants, the stored alarm lies in the past: whoever starts the next process wakes
 * the actor for them.
 */
import type { SendOptions } from "@troupe/protocol";
import type { CarriedReply, QueueDelivery } from "@troupe/protocol/actor/v1";
import { actorErrors, notRetryable } from "../../errors.ts";
import type { ActionCall } from "../../ports/instance.ts";
import type { MaybePromise, Row, RowChange } from "../../ports/storage.ts";
import { type Accepted, acceptMessage } from "../../queue/accepting.ts";
import { queueErrors } from "../../queue/errors.ts";
import type { QueueMessage } from "../../queue/message.ts";
import { type DeliveryPolicy, defaultPolicy } from "../../queue/policy.ts";
import { LEDGER_ROW } from "../../queue/queue-key.ts";
import { Queues } from "../../queue/queues.ts";
import { Receiver } from "../../queue/receiver.ts";
import { failureOf, type ScheduleFailure } from "../../schedule/failure.ts";
import type { DueCall } from "../../schedule/owner.ts";
import { isScheduleRow, Schedules } from "../../schedule/schedule.ts";
import { earliest } from "../local/expiry.ts";
import type { CarriedActivation } from "./activation.ts";
import { OwnCall } from "./own-call.ts";
import { passCall } from "./pass-call.ts";

/** What one call of the code has received. */
interface Receiving {
  readonly receiver: Receiver;
  readonly abort: AbortController;
}

/** As the code declared it: 0 is what it says nothing of. */
function policyFrom({ maxAttempts, retryDelayMs, visibilityTimeoutMs }: QueueDelivery): DeliveryPolicy {
  return {
    maxAttempts: maxAttempts || defaultPolicy.maxAttempts,
    retryDelay: retryDelayMs || defaultPolicy.retryDelay,
    visibilityTimeout: visibilityTimeoutMs || defaultPolicy.visibilityTimeout,
  };
}

/** Those of one activation. */
export class Kept {
  readonly queues: Queues;
  readonly schedules: Schedules;
  readonly #activation: CarriedActivation;
  readonly #consumed: ReadonlySet<string>;
  /** In the past from the first message on. */
  readonly #begun: number;
  /** By call. */
  readonly #receiving = new Map<number, Receiving>();
  /** Messages that the code has to complete, by id. */
  readonly #given = new Map<number, QueueMessage>();
  /** Takes what is brought to the code. */
  readonly #consumer: Receiver;
  #stored: number | null;

  constructor(activation: CarriedActivation) {
    const { env, log, request, descriptor, declaration } = activation;
    this.#activation = activation;
    this.#consumed = new Set(declaration.consumed);
    this.#begun = env.clock.now();
    const stored = request.store;
    const wrote = (): void => {
      activation.checkLive();
      activation.gate.mark();
    };
    const { maxQueueSize: maxMessages, maxQueueMessageSize: maxBytes, maxSchedules } = descriptor.options;
    const policies = new Map(declaration.deliveries?.map((one) => [one.queue, policyFrom(one)]));
    const policyOf = (name: string) => policies.get(name) ?? defaultPolicy;
    const ledger = request.rows.find(({ key }) => key === LEDGER_ROW)?.value;
    this.queues = new Queues({ env, log, stored, wrote, maxMessages, maxBytes, policyOf }, ledger);
    this.#consumer = new Receiver(this.queues, env);
    this.schedules = new Schedules(env, {
      stored,
      wrote,
      maxSchedules,
      fire: (call) => this.#fire(call),
      whenKnown: (begin) => begin(),
    });
    this.schedules.load(request.rows.filter(isScheduleRow));
    this.#stored = earliest(this.queues.alarm, this.schedules.nextAt());
  }

  /** Those that an activation has from its start, most often none. */
  static atStart(activation: CarriedActivation): Kept | undefined {
    const { declaration, request } = activation;
    const isOne = (row: Row) => row.key === LEDGER_ROW || isScheduleRow(row);
    const has = (declaration.consumed ?? []).length > 0 || request.rows.some(isOne);
    return has && declaration.kept === true ? new Kept(activation) : undefined;
  }

  /** Those of an activation, made when somebody needs them first; undefined where its host doesn't keep any. */
  static of(activation: CarriedActivation): Kept | undefined {
    if (activation.kept !== undefined || activation.declaration.kept !== true) return activation.kept;
    activation.kept = new Kept(activation);
    if (activation.phase.tag === "running") activation.kept.start();
    return activation.kept;
  }

  /** When the actor must be woken for them (wall clock, ms), `null` for never. */
  get alarmAt(): number | null {
    return earliest(this.#queueAlarm, this.schedules.nextAt());
  }

  /** The actor runs. */
  start(): void {
    this.schedules.start();
    if (this.#consumed.size > 0) void this.#consume();
  }

  /** Nothing begins any more, and nobody waits. */
  stop(): void {
    this.schedules.stop();
    this.queues.end();
  }

  /** The code has said its last word: what it was given and hasn't ended comes again. */
  end(): void {
    const receivers = [this.#consumer, ...[...this.#receiving.values()].map(({ receiver }) => receiver)];
    this.#receiving.clear();
    // Of code that is gone nothing more is written: a delivery that it had counts.
    if (this.#activation.gone) return;
    for (const receiver of receivers) receiver.end({ failed: true, stopping: true });
  }

  /** Takes a message from outside. Never throws; the end goes to the call's reply. */
  accept(call: ActionCall, options: SendOptions): void {
    const { work } = this.#activation;
    work.begin("action");
    const done = (): void => work.end("action");
    let accepted: MaybePromise<Accepted>;
    try {
      const [body] = call.args;
      const sent = { name: call.name, body, exclusive: true, ...options };
      accepted = this.queues.inOrder(() => acceptMessage(this.#accepting, sent));
    } catch (cause) {
      this.#refuse(call, options, cause);
      return done();
    }
    if (!(accepted instanceof Promise)) {
      this.#answer(call, options, accepted);
      return done();
    }
    accepted
      .then(
        (known) => this.#answer(call, options, known),
        (cause: unknown) => this.#refuse(call, options, cause),
      )
      .finally(done);
  }

  /** What a call of the code receives with; without one (0) it must take to complete. Throws `actor.aborted`. */
  receiving(call: number): Receiving {
    const known = this.#receiving.get(call);
    if (known !== undefined) return known;
    if (call !== 0 && !this.#activation.calls.has(call)) throw queueErrors.aborted();
    const { env } = this.#activation;
    const receiving = { receiver: new Receiver(this.queues, env), abort: new AbortController() };
    this.#receiving.set(call, receiving);
    return receiving;
  }

  /** The code has a message, and is to complete it. */
  given(message: QueueMessage): void {
    this.#given.set(message.id, message);
  }

  /** A message that the code has to complete; undefined when that delivery is over. */
  out(id: number): QueueMessage | undefined {
    const message = this.#given.get(id);
    return message !== undefined && this.queues.isOut(message) ? message : undefined;
  }

  /** A call of the code is over. */
  replied({ call, error }: CarriedReply): void {
    const receiving = this.#receiving.get(call);
    if (receiving === undefined) return;
    this.#receiving.delete(call);
    receiving.abort.abort();
    receiving.receiver.end({ failed: error !== undefined, stopping: !this.#running });
    for (const [id, message] of this.#given) if (!this.queues.isOut(message)) this.#given.delete(id);
  }

  /** Nobody waits for a call any more: what it waits for comes to its end. */
  cancelled(call: number): void {
    this.#receiving.get(call)?.abort.abort();
  }

  /** Takes what must be stored. True when the alarm has changed. */
  take(into: RowChange[]): boolean {
    this.queues.alarm = this.#queueAlarm;
    this.queues.take(into);
    this.schedules.take(into);
    const { alarmAt } = this;
    if (alarmAt === this.#stored) return false;
    this.#stored = alarmAt;
    return true;
  }

  get #running(): boolean {
    const { phase, gone, doomed } = this.#activation;
    return phase.tag === "running" && !gone && !doomed;
  }

  get #queueAlarm(): number | null {
    if (this.#consumed.size === 0) return null;
    const left = this.queues.hasWaiting((name) => this.#consumed.has(name));
    return left ? this.#begun : this.queues.delayedUntil;
  }

  get #accepting() {
    const { env, doomed, request } = this.#activation;
    const ended = () => (doomed ? actorErrors.stopped(request.record.id) : actorErrors.stopping());
    return { env, queues: this.queues, ended };
  }

  /** Gives messages to the code, one after the other, until the activation ends. */
  async #consume(): Promise<void> {
    const wanted = { names: this.#consumed, count: 1, timeoutMs: Infinity, completable: true };
    try {
      for (;;) for (const message of await this.#consumer.take(wanted)) await this.#deliver(message);
    } catch {
      // Told to end, with or without a message under way: `end` sees to that.
    }
  }

  /** Settles when the message was handled or given back; rejects when the activation ends before. */
  async #deliver(message: QueueMessage): Promise<void> {
    const { log } = this.#activation;
    try {
      const call = new OwnCall(message.name, [message.value()]);
      passCall(this.#activation, call, { message: message.id, attempt: message.attempts });
      const reply = (await call.done) ?? undefined;
      this.queues.finish(message, reply === undefined ? undefined : this.queues.encode(reply, "reply"));
    } catch (cause) {
      if (!this.#running) throw cause;
      log.error("a message was not handled", { queue: message.name, attempt: message.attempts, cause });
      this.queues.giveBack(message);
    }
  }

  /** Settles with what a due call failed with. Rejects when the activation ends before it, so that it is kept. */
  async #fire({ id, action, args, attempt }: DueCall): Promise<ScheduleFailure | undefined> {
    const call = new OwnCall(action, args);
    passCall(this.#activation, call);
    try {
      await call.done;
      return undefined;
    } catch (cause) {
      if (!this.#running) throw cause;
      this.#activation.log.error("a scheduled call failed", { action, scheduleId: id, attempt, cause });
      return failureOf(cause);
    }
  }

  #answer(call: ActionCall, options: SendOptions, accepted: Accepted): void {
    if ("outcome" in accepted) return this.#tell(call, options, accepted.outcome);
    call.began?.();
    accepted.reply.then(
      (outcome) => this.#tell(call, options, outcome),
      (cause: unknown) => this.#refuse(call, options, cause),
    );
  }

  #tell(call: ActionCall, options: SendOptions, outcome: unknown): void {
    try {
      this.#activation.emit(call.reply.ok(outcome));
    } catch (cause) {
      this.#refuse(call, options, cause);
    }
  }

  /** With a ticket the same message may come again, whatever became of this call. */
  #refuse(call: ActionCall, { ticket }: SendOptions, cause: unknown): void {
    this.#activation.emit(call.reply.error(ticket === undefined ? notRetryable(cause) : cause));
  }
}
