/**
 * Queues: the messages of one actor, from their sending to their end.
 *
 *              send
 *                │                       handled, or completed
 *                ▼                                ▲
 *   lane ──given out──▶ out ──────────────────────┤
 *     ▲                  │ not completed in time, or given back
 *     └──its time──── delayed                     │
 *                        └──too many deliveries──▶ dead letter
 *
 * A message is one row all the way (`queue-key.ts`), and every step is a change of rows that goes with the batch of the
 * turn that made it: what a turn wrote and the end of the message that it was about are stored together or not at all.
 * To be given out is no change. So after a crash a message that was out is in its lane again, at its place; nobody else
 * can have it meanwhile, for an actor runs once.
 *
 * Of many messages the first few are in memory (`lane.ts`). What a store answers later (an actor behind actor/v1) is a
 * promise; from a disk at hand it is there at once, and no turn ends because of it.
 */
import { encodeCbor, limits } from "@troupe/protocol";
import type { MaybePromise, RowChange } from "../ports/storage.ts";
import { andThen } from "../storage/overlay.ts";
import { Arrivals } from "./arrivals.ts";
import { DeadLetters } from "./dead-letters.ts";
import { Delayed } from "./delayed.ts";
import { queueErrors } from "./errors.ts";
import { Lane } from "./lane.ts";
import { Ledger } from "./ledger.ts";
import { type MessageParts, QueueMessage } from "./message.ts";
import type { QueuesOwner } from "./owner.ts";
import { retryDelayMs } from "./policy.ts";
import { type Ending, Replies } from "./replies.ts";
import { QueueRows } from "./rows.ts";

/** What is known of a message that is sent, beside its value. */
export interface SendParts {
  readonly ticket?: string | undefined;
  /** Nobody else has the value: the first receiver gets it as it is. */
  readonly exclusive?: boolean;
}

/** A page is at most this many bytes, when every message has its full size. */
const PAGE_BYTES = 16 * 1024 * 1024;

/** The queues of one activation. */
export class Queues {
  readonly arrivals = new Arrivals();
  readonly replies: Replies;
  readonly dead: DeadLetters;
  readonly #owner: QueuesOwner;
  readonly #rows: QueueRows;
  readonly #ledger: Ledger;
  readonly #lanes = new Map<string, Lane>();
  readonly #delayed: Delayed;
  /** Given out, and not ended. */
  readonly #out = new Map<number, QueueMessage>();
  #underWay: Promise<void> | undefined;
  /** Messages in all lanes, those that are out too. */
  #inLanes = 0;

  /** `row`: what the ledger's row holds. */
  constructor(owner: QueuesOwner, row?: Uint8Array) {
    this.#owner = owner;
    this.#rows = new QueueRows(owner);
    this.#ledger = row === undefined ? new Ledger() : Ledger.load(row);
    this.replies = new Replies(this.#rows, this.#ledger);
    this.dead = new DeadLetters({
      rows: this.#rows,
      ledger: this.#ledger,
      clock: owner.env.clock,
      log: owner.log,
    });
    this.#delayed = new Delayed({
      rows: this.#rows,
      ledger: this.#ledger,
      env: owner.env,
      log: owner.log,
      back: (message) => this.#back(message),
    });
    for (const [name, count] of this.#ledger.counts) {
      this.#lane(name, count);
      this.#inLanes += count;
    }
  }

  /** Messages that wait, are out, or wait to be delivered again. */
  get size(): number {
    return this.#inLanes + this.#ledger.delayed;
  }

  /**
   * Puts a message into a queue. It is durable with the open batch. Throws `queue.full`, `queue.message_too_large`,
   * `value.*`.
   */
  send(name: string, value: unknown, parts: SendParts = {}): QueueMessage {
    const body = this.encode(value, "body");
    const { maxMessages, env } = this.#owner;
    if (this.size >= maxMessages) throw queueErrors.full(maxMessages);
    const id = this.#ledger.nextId;
    const trace = this.#owner.watch?.trace();
    const message = new QueueMessage(
      { id, name, createdAt: env.clock.now(), attempts: 0, ticket: parts.ticket, body, trace },
      parts.exclusive === true ? { stored: false, fresh: value } : { stored: false },
    );
    const lane = this.#lane(name);
    this.#rows.put(lane.keyOf(message), message);
    this.#ledger.nextId += 1;
    lane.add(message);
    this.#counted(1);
    this.replies.expect(message);
    this.arrivals.arrived(name);
    return message;
  }

  /** Runs `work` behind all that runs like this: a question about one message must not let the next one overtake it. */
  inOrder<R>(work: () => MaybePromise<R>): MaybePromise<R> {
    const before = this.#underWay;
    const result = before === undefined ? work() : before.then(work);
    if (!(result instanceof Promise)) return result;
    const settled = result.then(
      () => {},
      () => {},
    );
    this.#underWay = settled;
    void settled.then(() => {
      if (this.#underWay === settled) this.#underWay = undefined;
    });
    return result;
  }

  /** A message or a reply as it is stored. Throws `queue.message_too_large`, `value.*`. */
  encode(value: unknown, path: string): Uint8Array {
    const bytes = encodeCbor(value, path);
    const limit = this.#owner.maxBytes;
    if (bytes.byteLength > limit) throw queueErrors.messageTooLarge(bytes.byteLength, limit);
    return bytes;
  }

  /**
   * Gives messages out: the oldest of the named queues, of all without names. Fewer than `count` when there are no more.
   * None while the activation is cut off from its disk.
   */
  receive(names: ReadonlySet<string> | undefined, count: number): MaybePromise<QueueMessage[]> {
    const present = this.#owner.stored.present?.();
    if (present !== undefined) return present.then(() => this.receive(names, count));
    const lanes = names === undefined ? [...this.#lanes.values()] : this.#named(names);
    const found: QueueMessage[] = [];
    while (found.length < count) {
      const reading = readAll(lanes);
      if (reading !== undefined) {
        if (found.length > 0) return found;
        return reading.then(() => this.receive(names, count));
      }
      const first = firstOf(lanes);
      if (first?.first === undefined) return found;
      found.push(first.first);
      this.#out.set(first.first.id, first.first);
      this.#owner.watch?.taken(first.first);
      first.shift();
    }
    return found;
  }

  /** Messages that were given out to somebody who is gone are at their places again. */
  restore(messages: readonly QueueMessage[]): void {
    for (const message of messages) {
      if (!this.#out.delete(message.id)) continue;
      this.#owner.watch?.ended(message, "restored");
      this.#lane(message.name).restore(message, true);
      this.arrivals.arrived(message.name);
    }
  }

  /** Wakes those who wait for what is there: whoever was woken for it is gone. */
  stir(): void {
    for (const [name, lane] of this.#lanes)
      if (lane.first !== undefined || lane.unread) this.arrivals.arrived(name);
  }

  /** True when a message of these queues may be there now. */
  mayHave(names: ReadonlySet<string> | undefined): boolean {
    const lanes = names === undefined ? [...this.#lanes.values()] : this.#named(names);
    return lanes.some((lane) => lane.first !== undefined || lane.unread);
  }

  /** True while a message is out. */
  isOut(message: QueueMessage): boolean {
    return this.#out.get(message.id) === message;
  }

  /** A delivery that must be completed begins. False: it was one too many, and the message is a dead letter. */
  begin(message: QueueMessage): boolean {
    const policy = this.#owner.policyOf(message.name);
    if (message.attempts >= policy.maxAttempts) {
      this.#bury(message);
      return false;
    }
    message.attempts += 1;
    this.#rows.put(this.#lane(message.name).keyOf(message), message);
    this.#delayed.watch(message, this.#owner.env.clock.now() + policy.visibilityTimeout, () =>
      this.giveBack(message),
    );
    return true;
  }

  /** A delivery was cut short by the end of the activation: it doesn't count. */
  interrupt(message: QueueMessage): void {
    if (!this.isOut(message)) return;
    this.#owner.watch?.ended(message, "interrupted");
    message.attempts -= 1;
    this.#rows.put(this.#lane(message.name).keyOf(message), message);
  }

  /** A delivery has failed: the message waits for the next one, `delayMs` or as its queue says, or is a dead letter. */
  giveBack(message: QueueMessage, delayMs?: number): void {
    if (!this.isOut(message)) return;
    const policy = this.#owner.policyOf(message.name);
    if (message.attempts >= policy.maxAttempts) {
      this.#bury(message);
      return;
    }
    this.#owner.watch?.ended(message, "given_back");
    this.#remove(message);
    message.givenBack = true;
    const at = this.#owner.env.clock.now() + (delayMs ?? retryDelayMs(policy, message.attempts));
    this.#delayed.add(message, at);
  }

  /** A message that is out was handled. False when it isn't out any more. */
  finish(message: QueueMessage, reply?: Uint8Array): boolean {
    if (!this.isOut(message)) return false;
    this.#end(message, { kind: "handled", reply });
    return true;
  }

  /** Ends a message by its id, out or not. Throws `queue.already_completed` when it isn't there. */
  complete(of: { readonly id: number; readonly name: string }, reply?: Uint8Array): MaybePromise<void> {
    const out = this.#out.get(of.id);
    if (out !== undefined) {
      this.#end(out, { kind: "handled", reply });
      return undefined;
    }
    const lane = this.#lanes.get(of.name);
    if (lane === undefined) throw queueErrors.alreadyCompleted(of.id);
    const key = QueueMessage.keyAt(lane.prefix, of.id);
    return andThen(this.#rows.get(key), (row) => {
      if (row === undefined) throw queueErrors.alreadyCompleted(of.id);
      lane.drop(of.id);
      this.#end(QueueMessage.decode(key, row), { kind: "handled", reply });
    });
  }

  /** A message that is out is its receiver's alone, and not in the queue any more; its sender waits for {@link answer}. */
  takeOver(message: QueueMessage): void {
    if (!this.isOut(message)) return;
    this.#owner.watch?.ended(message, "handled");
    this.#remove(message);
  }

  /** The sender of a message that was taken over gets its reply. */
  answer(of: MessageParts, reply: Uint8Array | undefined): void {
    this.replies.ended(new QueueMessage(of, { stored: true }), { kind: "handled", reply });
  }

  /** A dead letter is sent anew, as the last message of its queue. False when there is none of this id. */
  redrive(id: number): MaybePromise<boolean> {
    return andThen(this.dead.take(id), (letter) => {
      if (letter === undefined) return false;
      this.send(letter.name, letter.value(), { exclusive: true });
      return true;
    });
  }

  /** True when messages of a queue that somebody wants could be taken now, or are out. */
  hasWaiting(wants: (name: string) => boolean): boolean {
    if (this.#inLanes === 0) return false;
    for (const { name, count } of this.#lanes.values()) if (count > 0 && wants(name)) return true;
    return false;
  }

  /** When the first message may be delivered again (wall clock, ms). */
  get delayedUntil(): number | null {
    return this.#ledger.delayedUntil;
  }

  /** The alarm that was asked for, as it is stored. */
  get alarm(): number | null {
    return this.#ledger.alarm;
  }

  set alarm(at: number | null) {
    if (at === this.#ledger.alarm) return;
    this.#ledger.alarm = at;
    this.#ledger.change();
  }

  /** No message comes or goes any more; those who wait are told. */
  end(): void {
    this.#delayed.stop();
    this.arrivals.end();
    this.replies.end();
  }

  /** Takes what must be stored. */
  take(into: RowChange[]): void {
    this.#rows.take(into);
    this.#ledger.take(into, this.#lanes.values());
    if (this.#lanes.size <= MOST_EMPTY_LANES) return;
    for (const [name, lane] of this.#lanes) if (lane.count === 0) this.#lanes.delete(name);
  }

  #lane(name: string, stored = 0): Lane {
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const largest = Math.floor(PAGE_BYTES / Math.max(1, this.#owner.maxBytes));
    const page = Math.max(1, Math.min(limits.queuePageMessages, largest));
    const lane = new Lane({ name, rows: this.#rows, page }, stored);
    this.#lanes.set(name, lane);
    return lane;
  }

  #named(names: ReadonlySet<string>): Lane[] {
    const lanes: Lane[] = [];
    for (const name of names) {
      const lane = this.#lanes.get(name);
      if (lane !== undefined) lanes.push(lane);
    }
    return lanes;
  }

  #end(message: QueueMessage, ending: Ending): void {
    this.#owner.watch?.ended(message, ending.kind);
    this.#remove(message);
    this.replies.ended(message, ending);
  }

  #bury(message: QueueMessage): void {
    this.dead.add(message);
    const error = queueErrors.deadLettered(message.name, message.attempts);
    this.#end(message, { kind: "dead", error });
  }

  /** A message is in its lane no more. */
  #remove(message: QueueMessage): void {
    const lane = this.#lane(message.name);
    this.#rows.remove(lane.keyOf(message), !message.stored);
    this.#out.delete(message.id);
    this.#delayed.forget(message);
    lane.count -= 1;
    this.#counted(-1);
  }

  /** The time of a delayed message has come. */
  #back(message: QueueMessage): void {
    const lane = this.#lane(message.name);
    this.#rows.put(lane.keyOf(message), message);
    lane.restore(message, false);
    this.#counted(1);
    this.arrivals.arrived(message.name);
  }

  #counted(change: 1 | -1): void {
    this.#inLanes += change;
    this.#ledger.change();
  }
}

/** Empty lanes are kept: the next message finds its own. Actors that make up names have many. */
const MOST_EMPTY_LANES = 64;

/** Settles when the first messages of all lanes are known; undefined when they are. */
function readAll(lanes: readonly Lane[]): Promise<unknown> | undefined {
  let reading: Promise<void>[] | undefined;
  for (const lane of lanes) {
    if (!lane.unread) continue;
    const ready = lane.ready();
    if (ready instanceof Promise) {
      reading ??= [];
      reading.push(ready);
    }
  }
  return reading === undefined ? undefined : Promise.all(reading);
}

function firstOf(lanes: readonly Lane[]): Lane | undefined {
  let oldest: Lane | undefined;
  for (const lane of lanes) {
    const id = lane.first?.id;
    if (id !== undefined && id < (oldest?.first?.id ?? Infinity)) oldest = lane;
  }
  return oldest;
}
