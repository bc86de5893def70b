/**
 * CrashingStorage: an `ActorStorage` that cuts an actor off where a crash would.
 *
 *   turn ──▶ take ──▶ written and synced ──▶ settled ──▶ outputs leave
 *          ▲                              ▲
 *    before-commit                   after-commit
 *
 * Before the commit nothing of the batch is stored. After it all of it is, and nobody is told: whoever called doesn't
 * know whether it happened. Either way the activation's gate breaks with the outcome that a failing disk has, which is the
 * production's own way of losing an activation: no hook saves anything, and the next call reads what is stored.
 */
import { clientErrors } from "@troupe/client";
import type { ActorRecord, Generation } from "../ports/directory.ts";
import type {
  ActorStorage,
  ActorStore,
  Alarm,
  BatchSource,
  CommitOutcome,
  StoreNeeds,
} from "../ports/storage.ts";

/** Where a crash may hit the next batch. */
export const CRASH_POINTS = ["before-commit", "after-commit"] as const;

/** Where a crash hits the next batch. */
export type CrashPoint = (typeof CRASH_POINTS)[number];

interface Armed {
  readonly at: CrashPoint;
  readonly done: () => void;
}

/** A storage whose actors can crash. */
export class CrashingStorage implements ActorStorage {
  readonly #inner: ActorStorage;
  /** Actors whose next batch crashes, and the first ones of the activations that follow. */
  readonly #armed = new Map<string, Armed[]>();
  /** The newest activation of each actor, cut off once it has crashed. */
  readonly #lives = new Map<string, Life>();

  constructor(inner: ActorStorage) {
    this.#inner = inner;
  }

  /** The actor's next batch is its activation's last. Settles when that has happened. */
  arm(actorId: string, at: CrashPoint): Promise<void> {
    return new Promise((done) =>
      this.#armed.set(actorId, [...(this.#armed.get(actorId) ?? []), { at, done }]),
    );
  }

  /** The running activation stores nothing more. */
  cutOff(actorId: string): void {
    this.#lives.get(actorId)?.end();
  }

  async open(actor: ActorRecord, generation: Generation, needs?: StoreNeeds): Promise<ActorStore> {
    const store = await this.#inner.open(actor, generation, needs);
    const life = new Life(() => this.#disarm(actor.id));
    this.#lives.set(actor.id, life);
    return {
      load: () => store.load(),
      read: (keys) => store.read(keys),
      list: (range) => store.list(range),
      commit: (source) => store.commit(life.sourceOf(source)),
      ...(store.sql === undefined ? {} : { sql: store.sql.bind(store) }),
      ...(store.durable === undefined ? {} : { durable: store.durable.bind(store) }),
      close: () => store.close(),
    };
  }

  #disarm(actorId: string): Armed | undefined {
    return this.#armed.get(actorId)?.shift();
  }

  nextAlarm(): Promise<Alarm | undefined> {
    return this.#inner.nextAlarm();
  }

  dueAlarms(until: number, limit: number): Promise<readonly Alarm[]> {
    return this.#inner.dueAlarms(until, limit);
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** One activation's batches. */
class Life {
  readonly #armed: () => Armed | undefined;
  readonly #sources = new Map<BatchSource, BatchSource>();
  /** For each batch that was taken and isn't settled: what is to be said of it instead. */
  readonly #underWay: (Armed | undefined)[] = [];
  #ended = false;

  constructor(armed: () => Armed | undefined) {
    this.#armed = armed;
  }

  end(): void {
    this.#ended = true;
  }

  /** The same for the same source: a store takes a source once, however often it is named. */
  sourceOf(source: BatchSource): BatchSource {
    const known = this.#sources.get(source);
    if (known !== undefined) return known;
    const made: BatchSource = {
      take: () => {
        const armed = this.#ended ? undefined : this.#armed();
        // What is taken is settled, also when taking it throws.
        this.#underWay.push(armed);
        const batch = source.take();
        if (armed?.at === "before-commit") this.#ended = true;
        // Thrown while it is taken, a batch fails alone and nothing of it is stored.
        if (this.#ended) throw crashed();
        if (armed !== undefined) this.#ended = true;
        return batch;
      },
      settled: (outcome) => {
        const armed = this.#underWay.shift();
        source.settled(this.#told(outcome, armed));
        armed?.done();
      },
    };
    this.#sources.set(source, made);
    return made;
  }

  #told(outcome: CommitOutcome, armed: Armed | undefined): CommitOutcome {
    if (!outcome.durable) return this.#ended ? { ...outcome, error: crashed() } : outcome;
    return armed === undefined ? outcome : { durable: false, applied: "unknown", error: crashed() };
  }
}

/** What a client learns of a process that died under its call. */
function crashed() {
  return clientErrors.outcomeUnknown("The call");
}
