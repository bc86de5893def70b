/**
 * Run: one workflow in one activation. Its code runs from its beginning; the history answers what was done before.
 *
 *   running ──returns──▶ completed
 *      │ ├──throws──▶ rolling_back ──▶ failed
 *      │ └──cancel──▶ cancelled
 *      └──its code doesn't fit──▶ diverged ──next wake──▶ running
 *
 * The end of the activation is none of these: whatever waits is left alone, a step that runs may end within the grace
 * period, and the next activation begins anew.
 */
import { cloneValue, limits } from "@troupe/protocol";
import type { MaybePromise } from "../ports/storage.ts";
import { Activity } from "./activity.ts";
import type { WorkflowFunction } from "./definition.ts";
import type { ChildOutcome } from "./entry.ts";
import { workflowErrors } from "./errors.ts";
import type { WorkflowErrorEvent } from "./events.ts";
import { type BlockFailure, storedError, toldError } from "./failure.ts";
import { History } from "./history.ts";
import type { RunScope, WorkflowLife, WorkflowsOwner } from "./life.ts";
import { ROOT } from "./location.ts";
import type { WorkflowRecord } from "./record.ts";
import { Rollbacks } from "./rollbacks.ts";
import type { WorkflowRows } from "./rows.ts";
import { CANCELLED, EVICTED, isMisfit, Scope } from "./scope.ts";

/** What a run needs of the actor's other workflows. */
export interface RunParts {
  readonly owner: WorkflowsOwner;
  readonly rows: WorkflowRows;
  /** Something is at work, or nothing any more. */
  changed(): void;
  /** The record is another, and is to be stored. */
  recorded(run: Run): void;
  report(event: WorkflowErrorEvent): void;
  startChild(workflow: string, id: string, input: unknown): MaybePromise<void>;
  whenEnded(id: string, told: (outcome: ChildOutcome) => void): () => void;
}

/** One workflow that goes on. */
export class Run implements WorkflowLife {
  readonly owner: WorkflowsOwner;
  readonly history: History;
  readonly rollbacks = new Rollbacks();
  readonly failures = new WeakMap<object, BlockFailure>();
  readonly open = new Set<number>();
  pauses = 0;
  record: WorkflowRecord;
  readonly #parts: RunParts;
  readonly #activity: Activity;
  readonly #abort = new AbortController();
  #begun = false;
  #traced: RunScope | undefined;
  /** It doesn't fit: when it is to be tried again. */
  #again: number | undefined;

  constructor(parts: RunParts, record: WorkflowRecord) {
    this.#parts = parts;
    this.owner = parts.owner;
    this.record = record;
    this.history = new History(record.id, parts.rows);
    this.#activity = new Activity(() => parts.changed());
  }

  get id(): string {
    return this.record.id;
  }

  /** True while it keeps the actor awake. */
  get atWork(): boolean {
    return this.#again === undefined && this.#activity.atWork;
  }

  /** When the actor must be there for it (wall clock, ms); `now` where it could go on at once. */
  wakeAt(now: number): number | null {
    if (this.#again !== undefined) return this.#again;
    return this.#begun && !this.#activity.atWork ? this.#activity.until : now;
  }

  /** Runs its code. Never rejects. */
  async go(code: WorkflowFunction | undefined): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    this.#activity.add(1);
    this.#trace();
    try {
      await this.history.load();
      if (this.#abort.signal.aborted) return;
      if (code === undefined) throw workflowErrors.notDeclared(this.record.workflow);
      if (this.record.state === "diverged") this.#write({ state: "running" });
      const scope = new Scope(this, ROOT, this.#activity, this.#abort.signal);
      const through = (): Promise<void> => this.#through(scope, code);
      await (this.#traced === undefined ? through() : this.#traced.run(through));
    } catch (cause) {
      if (!this.#abort.signal.aborted) this.stuck(cause);
    }
  }

  stuck(cause: unknown): void {
    if (this.#abort.signal.aborted) return;
    const { log, env } = this.owner;
    const error = storedError(cause);
    log.error("a workflow can't go on", { workflowId: this.id, cause });
    this.#again = env.clock.now() + limits.workflowDivergedMs;
    this.#abort.abort(EVICTED);
    this.#write({ state: "diverged", error });
    this.#traced?.end("diverged", cause);
    this.report({ workflow: { workflowId: this.id, error: toldError(cause) } });
    this.#parts.changed();
  }

  /** It goes no further in this activation. Settles when no step of it runs. */
  async evict(): Promise<void> {
    this.#abort.abort(EVICTED);
    await this.#activity.stepless();
    this.#traced?.end(this.record.state);
  }

  /** It goes no further at all. Nothing is undone. */
  cancel(): void {
    this.#abort.abort(CANCELLED);
    this.#end({ state: "cancelled" }, workflowErrors.cancelled(this.id));
  }

  report(event: WorkflowErrorEvent): void {
    this.#parts.report(event);
  }

  startChild(workflow: string, id: string, input: unknown): MaybePromise<void> {
    return this.#parts.startChild(workflow, id, input);
  }

  whenEnded(id: string, told: (outcome: ChildOutcome) => void): () => void {
    return this.#parts.whenEnded(id, told);
  }

  async #through(scope: Scope, code: WorkflowFunction): Promise<void> {
    const { signal } = this.#abort;
    try {
      const output = await scope.run(() =>
        code(this.owner.workflowContext(scope), cloneValue(this.record.input)),
      );
      if (signal.aborted) return;
      this.#end({ state: "completed", output: cloneValue(output) });
    } catch (cause) {
      if (signal.aborted) return;
      if (isMisfit(cause)) this.stuck(cause);
      else await this.#failed(scope, cause);
    }
  }

  async #failed(scope: Scope, cause: unknown): Promise<void> {
    const error = storedError(cause);
    const told = typeof cause === "object" && cause !== null && this.failures.has(cause);
    this.owner.log.warn("a workflow failed", { workflowId: this.id, cause });
    if (!told) this.report({ workflow: { workflowId: this.id, error: toldError(cause) } });
    if (this.rollbacks.some) {
      this.#write({ state: "rolling_back", error });
      await this.rollbacks.undo(scope);
      if (this.#abort.signal.aborted) return;
    }
    this.#end({ state: "failed", error }, cause);
  }

  /** It is a scope here, and the first of its scopes is what the later ones go on under. */
  #trace(): void {
    this.#traced = this.owner.runScope(this.record);
    const trace = this.#traced?.trace;
    if (trace !== undefined && this.record.trace === undefined) this.#write({ trace });
  }

  #end(how: Pick<WorkflowRecord, "state" | "output" | "error">, cause?: unknown): void {
    this.#write({ ...how, endedAt: this.owner.env.clock.now() });
    this.#traced?.end(how.state, cause);
    this.#abort.abort(EVICTED);
  }

  #write(change: Partial<WorkflowRecord>): void {
    const { error: _before, ...rest } = this.record;
    this.record = { ...rest, ...change };
    this.#parts.recorded(this);
  }
}
