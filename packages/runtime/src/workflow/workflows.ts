/**
 * Workflows: all of one actor, in one activation.
 *
 * A workflow has a record and a history, rows below `~w:` that no wake loads by itself:
 *
 *   ~w:a:<id>             the record of one that goes on
 *   ~w:h:<id>/<location>  one entry of its history
 *   ~w:e:<id>             the record of one that has ended; its history stays with it
 *   ~w:o:<number>         ids of those, in the order of their ends: past a limit the oldest goes
 *
 * While one of them could go on, the actor's stored alarm lies in the past: a process that dies in the middle leaves an
 * actor that the next one wakes. An orderly end stores the exact time: that of the earliest sleep, or none, where all wait
 * for messages, which wake the actor by themselves. A stored alarm is never too late.
 */
import { limits, readUtf8, utf8Bytes } from "@troupe/protocol";
import type { MaybePromise, RowChange } from "../ports/storage.ts";
import { queueErrors } from "../queue/errors.ts";
import { andThen } from "../storage/overlay.ts";
import { MAIN, type WorkflowDefinition } from "./definition.ts";
import type { ChildOutcome } from "./entry.ts";
import { workflowErrors } from "./errors.ts";
import type { WorkflowErrorEvent } from "./events.ts";
import { Ledger } from "./ledger.ts";
import type { WorkflowsOwner } from "./life.ts";
import { ACTIVE, activeKey, endedKey, endOf, historyOf, orderKey } from "./location.ts";
import { decodeRecord, encodeRecord, hasEnded, type WorkflowRecord } from "./record.ts";
import { WorkflowRows } from "./rows.ts";
import { Run, type RunParts } from "./run.ts";

/** Told whether something is at work. */
export interface Occupied {
  waits(): void;
  resumes(): void;
}

const LONGEST_ID = 256;
/** Records that are read at once: with the largest values they fit into one list. */
const PAGE = Math.floor(limits.kvListBytes / limits.workflowValueBytes) - 1;

/** The workflows of one activation. */
export class Workflows {
  readonly #owner: WorkflowsOwner;
  readonly #definition: WorkflowDefinition;
  readonly #rows: WorkflowRows;
  readonly #ledger: Ledger;
  /** In the past as soon as it is stored. */
  readonly #begun: number;
  readonly #runs = new Map<string, Run>();
  readonly #parts: RunParts;
  readonly #waiting = new Map<string, Set<(outcome: ChildOutcome) => void>>();
  /** Those who wait for an end that this activation will not see. */
  readonly #leaving = new Set<() => void>();
  #loading: Promise<void> | undefined;
  #loaded: boolean;
  /** All that is to run does. */
  #ready = false;
  /** The rows can't be read: when they are tried again. */
  #again: number | undefined;
  #occupied: Occupied | undefined;
  #resting = false;
  #ended = false;

  /** `row`: what the ledger's row holds. */
  constructor(owner: WorkflowsOwner, definition: WorkflowDefinition, row?: Uint8Array) {
    this.#owner = owner;
    this.#definition = definition;
    this.#rows = new WorkflowRows(owner);
    this.#ledger = row === undefined ? new Ledger() : Ledger.load(row);
    this.#begun = owner.env.clock.now();
    this.#loaded = this.#ledger.active === 0;
    this.#parts = {
      owner,
      rows: this.#rows,
      changed: () => this.#look(),
      recorded: (run) => this.#recorded(run),
      report: (event) => this.#report(event),
      startChild: (name, id, input) => andThen(this.start(name, id, input), () => {}),
      whenEnded: (id, told) => this.#whenEnded(id, told),
    };
  }

  /** When the actor must be woken (wall clock, ms), as it is stored. */
  get alarm(): number | null {
    return this.#ledger.alarm;
  }

  /** True when the stored alarm isn't what it should be. */
  get stale(): boolean {
    return this.#wakeAt() !== this.#ledger.alarm;
  }

  /** Runs all that go on, and those that are started, until the activation ends. Settles when no step runs any more. */
  async run(occupied: Occupied, signal: AbortSignal): Promise<void> {
    this.#occupied = occupied;
    const stopped = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(this.#evict()), { once: true });
    });
    try {
      await this.#load();
      this.#begin();
    } catch (cause) {
      this.#again = this.#owner.env.clock.now() + limits.workflowDivergedMs;
      if (!signal.aborted) this.#owner.log.error("the workflows can't be read", { cause });
      occupied.waits();
    }
    await stopped;
  }

  /**
   * Starts one. One of the same name and id that is there already is that one. Throws `workflow.not_declared`,
   * `workflow.id_taken`, `workflow.too_many`, `workflow.invalid_id`, `value.*`.
   */
  start(name: string, id: string, input: unknown): MaybePromise<WorkflowRecord> {
    if (!this.#definition.named.has(name)) throw workflowErrors.notDeclared(name);
    if (typeof id !== "string" || id === "" || id.length > LONGEST_ID || !id.isWellFormed())
      throw workflowErrors.invalidId();
    return andThen(this.find(id), (found) => {
      if (found === undefined) return this.#create({ id, workflow: name, input }, this.#owner.trace());
      if (found.workflow !== name) throw workflowErrors.idTaken(id, found.workflow);
      return found;
    });
  }

  /** One that goes on, or has ended and is kept. */
  find(id: string): MaybePromise<WorkflowRecord | undefined> {
    if (!this.#loaded) return this.#load().then(() => this.find(id));
    const run = this.#runs.get(id);
    if (run !== undefined) return run.record;
    if (id !== this.#owner.actorId && this.#ledger.nextEnded === 0) return undefined;
    const key = endedKey(id);
    return andThen(this.#rows.get(key), (row) => {
      // From afar: it may have been started meanwhile.
      const now = this.#runs.get(id);
      if (now !== undefined) return now.record;
      return row === undefined ? undefined : decodeRecord(key, row);
    });
  }

  /** Those that go on. */
  async active(): Promise<readonly WorkflowRecord[]> {
    await this.#load();
    return [...this.#runs.values()].map((run) => run.record);
  }

  /** False when there is none of this id that goes on. */
  cancel(id: string): MaybePromise<boolean> {
    if (!this.#loaded) return this.#load().then(() => this.cancel(id));
    const run = this.#runs.get(id);
    run?.cancel();
    return run !== undefined;
  }

  /** Settles with the end of one, which there must be. Rejects with `workflow.not_found`, or `actor.aborted` at the activation's end. */
  async ended(id: string): Promise<WorkflowRecord> {
    for (;;) {
      const found = await this.find(id);
      if (found === undefined) throw workflowErrors.notFound(id);
      if (hasEnded(found)) return found;
      await new Promise<void>((resolve, reject) => {
        const leave = (): void => reject(queueErrors.aborted());
        if (this.#ended) return leave();
        this.#leaving.add(leave);
        this.#whenEnded(id, () => {
          this.#leaving.delete(leave);
          resolve();
        });
      });
    }
  }

  /** Takes what must be stored. True when the alarm changed. */
  take(into: RowChange[]): boolean {
    const before = this.#ledger.alarm;
    const wakeAt = this.#wakeAt();
    const exact = this.#owner.stopping || (this.#ready && this.#runs.size === 0);
    if (exact || (wakeAt !== null && (before === null || wakeAt < before))) {
      if (wakeAt !== before) this.#ledger.change();
      this.#ledger.alarm = wakeAt;
    }
    this.#rows.take(into);
    this.#ledger.take(into);
    return this.#ledger.alarm !== before;
  }

  #wakeAt(): number | null {
    // Before it is known what there is, it may be anything.
    if (!this.#ready) return this.#again ?? this.#begun;
    let first: number | null = null;
    for (const run of this.#runs.values()) {
      const at = run.wakeAt(this.#begun);
      if (at !== null && (first === null || at < first)) first = at;
    }
    return first;
  }

  #load(): Promise<void> {
    this.#loading ??= this.#loaded ? Promise.resolve() : this.#read();
    return this.#loading;
  }

  async #read(): Promise<void> {
    for (const { key, value } of await this.#rows.all(ACTIVE, endOf(ACTIVE), PAGE)) {
      const record = decodeRecord(key, value);
      this.#runs.set(record.id, new Run(this.#parts, record));
    }
    this.#loaded = true;
  }

  #begin(): void {
    const { actorId } = this.#owner;
    if (this.#ended) return;
    if (!this.#ledger.mainEnded && !this.#runs.has(actorId))
      this.#create({ id: actorId, workflow: MAIN, input: undefined });
    const runs = [...this.#runs.values()];
    for (const run of runs) this.#go(run);
    this.#ready = true;
    this.#look();
  }

  #create(of: Pick<WorkflowRecord, "id" | "workflow" | "input">, trace?: string): WorkflowRecord {
    if (this.#ledger.active >= limits.workflowsActive) throw workflowErrors.tooMany(limits.workflowsActive);
    const whose = trace === undefined ? {} : { trace };
    const record = { ...of, ...whose, state: "running", createdAt: this.#owner.env.clock.now() } as const;
    this.#rows.write(activeKey(of.id), encodeRecord(record));
    this.#ledger.active += 1;
    this.#ledger.change();
    const run = new Run(this.#parts, record);
    this.#runs.set(of.id, run);
    // Before `run` has begun it goes with the others.
    if (this.#occupied !== undefined && of.workflow !== MAIN) this.#go(run);
    return record;
  }

  #go(run: Run): void {
    if (this.#ended) return;
    const { main, named } = this.#definition;
    const { workflow } = run.record;
    const code = workflow === MAIN ? main : named.get(workflow);
    // Not inside of the transaction, or the call, that it was started in.
    void this.#owner.enter(() => run.go(code));
  }

  #recorded(run: Run): void {
    const { record } = run;
    if (!hasEnded(record)) {
      this.#rows.write(activeKey(record.id), encodeRecord(record));
      return;
    }
    this.#rows.write(endedKey(record.id), encodeRecord(record));
    this.#rows.write(activeKey(record.id), null);
    this.#runs.delete(record.id);
    this.#ledger.active -= 1;
    this.#ledger.change();
    if (record.workflow === MAIN) this.#ledger.mainEnded = true;
    else this.#keep(record.id);
    this.#tell(record);
    this.#look();
  }

  /** It is one of those that have ended; the oldest may be one too many. */
  #keep(id: string): void {
    this.#rows.write(orderKey(this.#ledger.nextEnded), utf8Bytes(id));
    this.#ledger.nextEnded += 1;
    if (this.#ledger.nextEnded - this.#ledger.firstEnded <= limits.workflowsEnded) return;
    const key = orderKey(this.#ledger.firstEnded);
    this.#ledger.firstEnded += 1;
    this.#forget(key).catch((cause: unknown) => {
      // The activation has ended meanwhile: rows are left over, which nobody asks for.
      this.#owner.log.debug("the oldest workflow wasn't removed as a whole", { cause });
    });
  }

  async #forget(key: string): Promise<void> {
    const row = await this.#rows.get(key);
    this.#rows.write(key, null);
    if (row === undefined) return;
    const id = readUtf8(row);
    this.#rows.write(endedKey(id), null);
    const history = historyOf(id);
    for (const entry of await this.#rows.all(history, endOf(history), PAGE))
      this.#rows.write(entry.key, null);
  }

  #tell(record: WorkflowRecord): void {
    const all = this.#waiting.get(record.id);
    this.#waiting.delete(record.id);
    for (const told of all ?? []) told(outcomeOf(record));
  }

  #whenEnded(id: string, told: (outcome: ChildOutcome) => void): () => void {
    const all = this.#waiting.get(id) ?? new Set();
    this.#waiting.set(id, all);
    all.add(told);
    const forget = (): void => {
      all.delete(told);
    };
    // Where it has ended, and was told of nobody, whoever asks is told now.
    if (!this.#runs.has(id)) {
      const found = andThen(this.find(id), (record) => {
        if (!all.delete(told)) return;
        told(record === undefined ? gone(id) : outcomeOf(record));
      });
      if (found instanceof Promise) found.catch(() => {});
    }
    return forget;
  }

  #evict(): Promise<void> {
    this.#ended = true;
    for (const leave of this.#leaving) leave();
    return Promise.all([...this.#runs.values()].map((run) => run.evict())).then(() => {});
  }

  /** Whether something is at work may be otherwise. */
  #look(): void {
    const resting = ![...this.#runs.values()].some((run) => run.atWork);
    if (this.#occupied === undefined || !this.#ready || resting === this.#resting) return;
    this.#resting = resting;
    if (resting) this.#occupied.waits();
    else this.#occupied.resumes();
  }

  #report(event: WorkflowErrorEvent): void {
    const { onError } = this.#definition;
    if (onError === undefined) return;
    this.#owner.report(onError, event);
  }
}

function outcomeOf({ id, state, output, error }: WorkflowRecord): ChildOutcome {
  if (state === "completed") return { ok: true, output };
  return {
    ok: false,
    error: error ?? { name: "TroupeError", message: workflowErrors.cancelled(id).message },
  };
}

function gone(id: string): ChildOutcome {
  return { ok: false, error: { name: "TroupeError", message: workflowErrors.notFound(id).message } };
}
