/**
 * Checkpoints: keeps one shard's write-ahead log short without anybody waiting.
 *
 * SQLite starts the log over when a writer finds every page of it moved into the database. A passive checkpoint
 * disturbs no writer, but under load new pages come while it runs, so it alone never catches up. Hence two steps: past
 * 64 MiB passes run beside the writers, each moving what came during the one before; when what is left is small, one
 * more pass runs inside the wait for a round's sync. Nothing is written in that window (the committer has one round on
 * its way), so the pass gets all of it, and the round is told when both are done.
 *
 *   resting ──64 MiB, or idle──▶ passing ──little left──▶ catching up (at the next sync) ──▶ resting
 *
 * RESTART and TRUNCATE, which take the writers' lock, are for opening, closing and a full disk. How long the log is isn't asked of
 * SQLite but estimated from above, from what was written.
 */
import type { Env, TimerHandle } from "@troupe/base";
import type { CheckpointResult } from "./checkpoint-messages.ts";

/** What decides when a shard is checkpointed, and how. */
export interface CheckpointsOptions {
  readonly env: Pick<Env, "timers" | "log">;
  /** One passive checkpoint. */
  readonly pass: () => Promise<CheckpointResult>;
  /** After each pass, also a failed one. When it throws, the pass counts as failed. */
  readonly passed: () => void;
  /** Log size at which passes begin, bytes. Default: 64 MiB. */
  readonly limitBytes?: number;
  /** A shard without a write for this long is checkpointed. Default: 2,000. */
  readonly idleMs?: number;
}

/** What is left is small enough to be caught up with inside a sync. */
const CATCH_UP_BYTES = 2 * 1024 * 1024;
const MAX_PASSES = 4;

/** When one shard is checkpointed. */
export class Checkpoints {
  readonly #options: CheckpointsOptions;
  readonly #limitBytes: number;
  readonly #idleMs: number;
  /** Bytes in the log that no finished pass has covered, from above. */
  #pending = 0;
  /** A pass begins when so much is pending. */
  #passAtBytes: number;
  /** The last pass failed, and the log has said so. */
  #failing = false;
  #state: "resting" | "passing" | "behind" | "stopped" = "resting";
  #timer: TimerHandle | undefined;
  #writtenSinceTick = false;
  #running: Promise<void> | undefined;

  constructor(options: CheckpointsOptions) {
    this.#options = options;
    this.#limitBytes = options.limitBytes ?? 64 * 1024 * 1024;
    this.#passAtBytes = this.#limitBytes;
    this.#idleMs = options.idleMs ?? 2_000;
  }

  /** A transaction put about so many bytes into the log. */
  wrote(bytes: number): void {
    this.#pending += bytes;
    this.#writtenSinceTick = true;
    if (this.#state === "resting" && this.#pending >= this.#passAtBytes) this.#pass();
    if (this.#timer === undefined && this.#state !== "stopped") this.#tick();
  }

  /** True while a checkpoint runs. */
  get passing(): boolean {
    return this.#state === "passing";
  }

  /** Somebody else moved all of the log. */
  emptied(): void {
    this.#pending = 0;
    if (this.#state === "behind") this.#state = "resting";
    this.#succeeded();
  }

  /** True when the next sync should have `catchUp` run beside it. */
  get behind(): boolean {
    return this.#state === "behind";
  }

  /** Moves the rest while nothing is written. Never throws. */
  async catchUp(): Promise<void> {
    this.#state = "passing";
    if (await this.#run()) this.#pending = 0;
    this.#rest();
  }

  /** No new pass begins; settles when a running one has ended. */
  async stop(): Promise<void> {
    this.#state = "stopped";
    if (this.#timer !== undefined) this.#options.env.timers.clear(this.#timer);
    this.#timer = undefined;
    await this.#running;
  }

  #tick(): void {
    this.#writtenSinceTick = false;
    const tick = () => {
      this.#timer = undefined;
      if (this.#state === "stopped" || this.#pending === 0) return;
      if (!this.#writtenSinceTick && this.#state !== "passing") this.#pass();
      this.#tick();
    };
    this.#timer = this.#options.env.timers.set(tick, this.#idleMs, { background: true });
  }

  #pass(): void {
    this.#state = "passing";
    this.#passes().catch((error: unknown) => this.#failed(error));
  }

  async #passes(): Promise<void> {
    for (let passes = 0; passes < MAX_PASSES && this.#state === "passing"; passes += 1) {
      const before = this.#pending;
      if (!(await this.#run())) return;
      this.#pending -= before;
      if (this.#pending === 0) return this.#rest();
      if (this.#pending <= CATCH_UP_BYTES) break;
    }
    if (this.#state === "passing") this.#state = "behind";
  }

  /** One pass; false when it failed. */
  async #run(): Promise<boolean> {
    this.#running = this.#try();
    await this.#running;
    return !this.#failing;
  }

  /** Never throws: whoever waits for it would stay in its state for ever. */
  async #try(): Promise<void> {
    try {
      try {
        await this.#options.pass();
      } finally {
        // Also after a failed one: that the log was replaced is one reason for which a pass fails.
        this.#options.passed();
      }
      this.#succeeded();
    } catch (error) {
      this.#failed(error);
    }
  }

  #succeeded(): void {
    this.#passAtBytes = this.#limitBytes;
    this.#failing = false;
  }

  #rest(): void {
    if (this.#state !== "stopped") this.#state = "resting";
  }

  /** The next try is at the idle tick, or when as much again was written: not at every write. */
  #failed(error: unknown): void {
    if (!this.#failing) {
      this.#options.env.log.warn("a checkpoint failed; the log grows until one succeeds", { error });
    }
    this.#failing = true;
    this.#passAtBytes = this.#pending + this.#limitBytes;
    this.#rest();
  }
}
