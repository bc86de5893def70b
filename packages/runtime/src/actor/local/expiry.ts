/**
 * Expiry: the end of an actor that nobody has used for `options.expireAfter`.
 *
 * Use is what keeps an actor awake: a call, a connection, a scheduled call, its `run`. The time of the end is a row, and
 * an alarm beside those of the schedules; whoever sleeps writes it exactly. While the actor is awake the stored time is
 * kept ahead of its use, so that a crash can only make it later: it is moved on by half as much again, so that use writes
 * seldom.
 *
 * An actor that wakes behind its time takes no calls: they wait for the next one under its key. It ends as by
 * `c.destroy()`, with `onDestroy`.
 */
import { type Env, type TimerHandle, wallWaitMs } from "@troupe/base";
import { decodeCbor, encodeCbor } from "@troupe/protocol";
import type { Row } from "../../ports/storage.ts";
import type { Activation } from "./activation.ts";

const EXPIRY_ROW = "expires";

/** What the expiry needs of its activation. */
export interface ExpiryOwner {
  writeRow(key: string, value: Uint8Array): void;
  /** The actor is to end for good. */
  expired(): void;
}

/** The expiry of one activation. */
export class Expiry {
  readonly #env: Pick<Env, "clock" | "timers">;
  readonly #owner: ExpiryOwner;
  readonly #afterMs: number;
  /** As it is stored. */
  #at = 0;
  #idleSince: number | undefined;
  #timer: TimerHandle | undefined;
  #over = false;

  constructor(env: Pick<Env, "clock" | "timers">, afterMs: number, owner: ExpiryOwner) {
    this.#env = env;
    this.#afterMs = afterMs;
    this.#owner = owner;
  }

  /** Takes over what storage holds. */
  load(rows: readonly Row[]): void {
    const row = rows.find(({ key }) => key === EXPIRY_ROW);
    if (row !== undefined) this.#at = Number(decodeCbor(row.value));
  }

  /** The actor is ready. */
  start(): void {
    const now = this.#env.clock.now();
    // One without a time is new, or had no expiry before.
    if (this.#at !== 0 && this.#at <= now) return this.#expire();
    if (this.#at === 0) this.#keepAhead(now);
    this.#idleSince ??= now;
    this.#arm();
  }

  /** When the actor ends, as far as anybody knows. */
  get at(): number {
    return this.#at;
  }

  /** True from the moment when the actor's time is over. */
  get over(): boolean {
    return this.#over;
  }

  busy(): void {
    this.#idleSince = undefined;
    if (!this.#over && this.#timer !== undefined) this.#keepAhead(this.#env.clock.now());
  }

  idle(): void {
    this.#idleSince = this.#env.clock.now();
  }

  /** The actor is put to sleep: from its last use on its time runs. */
  stop(): void {
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
    this.#timer = undefined;
    if (!this.#over) this.#write((this.#idleSince ?? this.#env.clock.now()) + this.#afterMs);
  }

  #arm(): void {
    // In use the stored time must stay ahead; idle the end may come.
    const next = this.#idleSince === undefined ? this.#at - this.#afterMs : this.#idleSince + this.#afterMs;
    const { clock, timers } = this.#env;
    this.#timer = timers.set(this.#look, wallWaitMs(clock, next), { background: true });
  }

  readonly #look = (): void => {
    const now = this.#env.clock.now();
    if (this.#idleSince === undefined) this.#keepAhead(now);
    else if (this.#idleSince + this.#afterMs <= now) return this.#expire();
    this.#arm();
  };

  #keepAhead(now: number): void {
    if (this.#at <= now + this.#afterMs) this.#write(now + this.#afterMs * 1.5);
  }

  #write(at: number): void {
    this.#at = Math.ceil(at);
    this.#owner.writeRow(EXPIRY_ROW, encodeCbor(this.#at));
  }

  #expire(): void {
    this.#timer = undefined;
    this.#over = true;
    this.#owner.expired();
  }
}

/** The expiry of an activation; `undefined` for an actor that lives for ever. */
export function openExpiry(activation: Activation): Expiry | undefined {
  const { expireAfter } = activation.descriptor.options;
  if (expireAfter >= Number.MAX_SAFE_INTEGER) return undefined;
  return new Expiry(activation.env, expireAfter, {
    writeRow: (key, value) => activation.writeRow(key, value),
    expired: () => activation.requestStop("destroy"),
  });
}

/** The earlier one of two times, of which there may be none. */
export function earliest(a: number | null | undefined, b: number | null | undefined): number | null {
  if (b === undefined || b === null) return a ?? null;
  return Math.min(a ?? b, b);
}
