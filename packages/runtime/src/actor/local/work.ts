/**
 * Work: what keeps an activation awake, and what a stop waits for.
 *
 * Each piece of work has a kind. Kinds that keep the actor awake are counted together, so that the hot path (an action
 * begins, an action ends) is two integer steps. A stop waits for the kinds that it has to drain.
 */

/** Kinds of work. */
export type WorkKind =
  | "action"
  | "request"
  | "connection"
  | "hook"
  | "keepAwake"
  | "waitUntil"
  | "run"
  | "schedule"
  | "carried";

type AwakeKind = Exclude<WorkKind, "waitUntil">;

/** What a stop waits for, beside `run`, which is drained first. */
const drainedKinds: readonly WorkKind[] = ["action", "request", "hook", "keepAwake", "waitUntil", "schedule"];

/** Why it is awake, in words. */
const reasonTexts: Readonly<Record<AwakeKind, readonly [one: string, many: string]>> = {
  action: ["an action in flight", "actions in flight"],
  request: ["an HTTP request in flight", "HTTP requests in flight"],
  connection: ["a connection", "connections"],
  hook: ["a hook is running", "hooks are running"],
  keepAwake: ["a keepAwake promise", "keepAwake promises"],
  run: ["run is active", "runs are active"],
  schedule: ["a scheduled call is running", "scheduled calls are running"],
  carried: ["its code has work of its own", "its code has work of its own"],
};

/** Told when nothing keeps the actor awake any more, and when something does again. */
export interface WorkOwner {
  onIdle(): void;
  onBusy(): void;
}

/** Counts an activation's work. */
export class Work {
  /** Of models, that are open: they neither keep the actor awake nor does a stop wait for them. */
  streams = 0;
  readonly #counts: Partial<Record<WorkKind, number>> = {};
  readonly #owner: WorkOwner;
  #awake = 0;
  #waiters: (() => void)[] | undefined;

  constructor(owner: WorkOwner) {
    this.#owner = owner;
  }

  /** True when nothing keeps the actor awake. */
  get idle(): boolean {
    return this.#awake === 0;
  }

  count(kind: WorkKind): number {
    return this.#counts[kind] ?? 0;
  }

  begin(kind: WorkKind): void {
    this.#counts[kind] = (this.#counts[kind] ?? 0) + 1;
    if (kind === "waitUntil") return;
    this.#awake += 1;
    if (this.#awake === 1) this.#owner.onBusy();
  }

  end(kind: WorkKind): void {
    this.#counts[kind] = (this.#counts[kind] ?? 0) - 1;
    if (kind !== "waitUntil") {
      this.#awake -= 1;
      if (this.#awake === 0) this.#owner.onIdle();
    }
    if (this.#waiters !== undefined) this.#wake();
  }

  /** Tracks a promise as work of a kind, however it ends. */
  track(kind: WorkKind, promise: Promise<unknown>): void {
    this.begin(kind);
    const end = () => this.end(kind);
    promise.then(end, end);
  }

  /** Settles when nothing is left that a stop has to wait for. */
  drained(kinds: readonly WorkKind[] = drainedKinds): Promise<void> {
    // The wait is armed before the count is read again: an end in between is not missed.
    return new Promise((resolve) => {
      const check = (): void => {
        if (kinds.some((kind) => this.count(kind) > 0)) {
          this.#waiters ??= [];
          this.#waiters.push(check);
          return;
        }
        resolve();
      };
      check();
    });
  }

  /** Why the actor is awake, in words. */
  reasons(): string[] {
    const reasons: string[] = [];
    for (const [kind, [one, many]] of Object.entries(reasonTexts)) {
      const count = this.count(kind as AwakeKind);
      if (count > 0) reasons.push(count > 1 ? `${count} ${many}` : one);
    }
    return reasons;
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = undefined;
    for (const check of waiters ?? []) check();
  }
}
