/**
 * Activation: one life of an actor in this process, from its start to its release.
 *
 * Everything that an activation owns hangs here; what it does is in small modules beside it: `start.ts` and `stop.ts`
 * (the lifecycle's two ways), `call.ts` (one action), `connections.ts`, `../../schedule`, `state-tree.ts`, and the
 * gate. The phase is one tagged value:
 *
 *   loading ──start hooks──▶ running ──stop asked──▶ stopping ──released──▶ stopped
 *
 * Only a running activation accepts calls; the host holds others for the next one. After the release every write
 * throws `actor.stopped`, so that code which was left behind (a forgotten promise) can't write into a later life.
 */
import type { Env, Logger } from "@troupe/base";
import type { Client } from "@troupe/client";
import { actorErrors } from "../../errors.ts";
import { OutputGate } from "../../gate/output-gate.ts";
import { Kv } from "../../kv/kv.ts";
import type { ActorRecord, Generation } from "../../ports/directory.ts";
import type { ActorInstance, InstanceHost } from "../../ports/instance.ts";
import type { Output } from "../../ports/output.ts";
import {
  type ActorStore,
  type Batch,
  type BatchSource,
  type CommitOutcome,
  CREATED_ROW,
  DESTROYED_ROW,
  type RowChange,
} from "../../ports/storage.ts";
import type { Queues } from "../../queue/queues.ts";
import type { Schedules } from "../../schedule/schedule.ts";
import { sqlErrors } from "../../sql/errors.ts";
import { checkBatchSize } from "../../storage/batch-size.ts";
import type { ActorDescriptor, Hook, LocalBehaviour } from "../behaviour.ts";
import type { Schedule } from "../types/context.ts";
import { LazyAbort } from "./abort.ts";
import type { ActivationParts, Phase } from "./activation-parts.ts";
import type { ActivationServices, Running } from "./activation-services.ts";
import type { Connection, ConnectionOwner } from "./connection.ts";
import { Connections } from "./connections.ts";
import { abandonTransaction, type DatabaseClient, inTransaction, openDatabase } from "./database-client.ts";
import { send } from "./events.ts";
import { runHook } from "./hook.ts";
import { Queueing } from "./queueing.ts";
import type { RunWork } from "./run.ts";
import { openSchedules, ScheduleApi } from "./schedule-api.ts";
import { SharedByCalls } from "./shared-by-calls.ts";
import { stateChangeNotice } from "./state-change.ts";
import type { StateTree } from "./state-tree.ts";
import { Work, type WorkOwner } from "./work.ts";

const DONE = Uint8Array.of(1);

/** One life of an actor. */
export class Activation implements BatchSource, ConnectionOwner, WorkOwner, Running {
  readonly record: ActorRecord;
  readonly generation: Generation;
  readonly descriptor: ActorDescriptor;
  readonly behaviour: LocalBehaviour;
  readonly env: Env;
  readonly host: InstanceHost;
  readonly store: ActorStore;
  readonly gate: OutputGate;
  readonly work: Work;
  readonly connections: Connections;
  readonly abort = new LazyAbort();
  phase: Phase = { tag: "loading" };
  vars: unknown;
  /** The promise of `run`, while it goes on. */
  running: Promise<void> | undefined;
  runWork: RunWork | undefined;
  /** Its queues, once somebody needs them. */
  queueing: Queueing | undefined;
  readonly #services: ActivationServices;
  readonly #instance: ActorInstance;
  /** While a creation runs: its first batch is kept back, so that a crash leaves no half-made actor. */
  #creating: "no" | "quiet" | "wrote" = "no";
  #isNew = false;
  /** The creation is done, and no batch has said so. */
  #unsaid = false;
  /** The end for good was asked for, and until "said" no batch has said so. */
  #doom: "no" | "unsaid" | "said" = "no";
  #state: StateTree | undefined;
  #schedules: Schedules | undefined;
  #kv: Kv | undefined;
  #database: DatabaseClient | undefined;
  #log: Logger | undefined;
  #held: Set<() => void> | undefined;
  #calls: SharedByCalls | undefined;

  constructor(parts: ActivationParts) {
    this.#services = parts.services;
    this.#instance = parts.instance;
    this.record = parts.instance.record;
    this.generation = parts.instance.generation;
    this.descriptor = parts.descriptor;
    this.behaviour = parts.behaviour;
    this.env = parts.services.env;
    this.host = parts.host;
    this.store = parts.store;
    this.gate = new OutputGate(() => this.#commit());
    this.work = new Work(this);
    this.connections = new Connections(this);
  }

  get state(): StateTree {
    if (this.#state === undefined) throw actorErrors.noState(this.record.name);
    return this.#state;
  }

  /** True when the definition has state, and it is there. */
  get hasState(): boolean {
    return this.#state !== undefined;
  }

  get stopping(): boolean {
    return this.phase.tag === "stopping" || this.phase.tag === "stopped";
  }

  get log(): Logger {
    this.#log ??= this.env.log.child({ actor: this.record.name, actorId: this.record.id });
    return this.#log;
  }

  get schedules(): Schedules {
    if (this.#schedules === undefined) {
      this.#schedules = openSchedules(this);
      if (this.phase.tag === "running" && !this.doomed) this.#schedules.start();
    }
    return this.#schedules;
  }

  /** True when this activation has, or had, a schedule. */
  get hasSchedules(): boolean {
    return this.#schedules !== undefined;
  }

  get kv(): Kv {
    this.#kv ??= new Kv({
      stored: this.store,
      wrote: () => this.wrote(),
      checkLive: () => this.#checkLive(),
    });
    return this.#kv;
  }

  get queues(): Queues {
    this.queueing ??= new Queueing(this);
    return this.queueing.queues;
  }

  /** When the next schedule is due (wall clock, ms). */
  get scheduledAt(): number | null {
    return this.#schedules?.nextAt() ?? null;
  }

  /** True in a transaction of its database. */
  get inTransaction(): boolean {
    return this.#database !== undefined && inTransaction(this.#database);
  }

  /** What its calls share: turns, and keys. */
  get calls(): SharedByCalls {
    this.#calls ??= new SharedByCalls(this, this.#services);
    return this.#calls;
  }

  get activation(): Activation {
    return this;
  }

  get database(): DatabaseClient {
    const { transaction } = this.#services;
    this.#database ??= openDatabase(this, { current: transaction, checkLive: () => this.#checkLive() });
    return this.#database;
  }

  /** What is open in the database is undone: its batch is the last one, or is lost. */
  abandonTransaction(): void {
    if (this.#database !== undefined) abandonTransaction(this.#database);
  }

  get scheduleApi(): Schedule {
    return new ScheduleApi(this);
  }

  /** Nothing keeps it awake: the host may let it sleep. */
  onIdle(): void {
    const { noSleep, sleepTimeout } = this.descriptor.options;
    if (this.phase.tag === "running" && !noSleep) this.host.idle(this.#instance, sleepTimeout);
  }

  onBusy(): void {
    this.host.busy(this.#instance);
  }

  adoptState(state: StateTree): void {
    this.#state = state;
    const { onStateChange } = this.behaviour.hooks;
    if (onStateChange) state.onChange = stateChangeNotice(this, state, onStateChange);
  }

  /** Keeps back what the creation writes, until {@link created} or until something waits for it. */
  creating(): void {
    this.#creating = "quiet";
    this.#isNew = true;
  }

  /** Keeps back what a migration writes: with an error nothing of it stays. */
  migrating(): void {
    if (this.#creating === "no") this.#creating = "quiet";
  }

  /** The migration is done. */
  migrated(): void {
    if (!this.#isNew) this.#release();
  }

  /** The creation is done: the batch that says so may go, with all that was kept back. */
  created(): void {
    if (!this.#isNew) return;
    this.#isNew = false;
    this.#unsaid = true;
    this.#release();
    this.gate.mark();
  }

  #release(): void {
    const wrote = this.#creating === "wrote";
    this.#creating = "no";
    if (wrote) this.store.commit(this);
  }

  setVars(value: unknown): void {
    this.#checkLive();
    this.vars = value;
  }

  awakeReasons(): string[] {
    const reasons = this.work.reasons();
    if (this.descriptor.options.noSleep) reasons.push("option noSleep");
    return reasons;
  }

  /**
   * Runs user code as this actor, for one of its calls or for none, and outside of any transaction: whoever brought it here
   * may be in one.
   */
  enter<R>(fn: () => R, running: Running = this): R {
    const { current, transaction } = this.#services;
    if (this.#database === undefined || transaction.get() === undefined) return current.run(running, fn);
    return transaction.run(undefined, () => current.run(running, fn));
  }

  /** Runs a hook as this actor, within its time. */
  hook(name: string, timeoutMs: number, fn: Hook, args: readonly unknown[]): Promise<unknown> {
    return runHook(this, { name, timeoutMs, fn, args });
  }

  /** Something durable changed. Throws `actor.stopped` after the release. */
  wrote(): void {
    this.#checkLive();
    this.gate.mark();
  }

  /** Sends an output through the gate. */
  emit(output: Output): void {
    if (this.#creating !== "no") this.#release();
    if (this.#state?.suspicious === true) {
      if (this.phase.tag !== "stopped") this.gate.mark();
      // No trap has refused what was written behind the last batch, so its writer is told here.
      else if (this.#state.changedUnseen()) {
        output.fail(actorErrors.stopped(this.record.id));
        return;
      }
    }
    this.gate.emit(output);
  }

  send(targets: readonly Connection[], name: string, args: readonly unknown[], gated: boolean): void {
    this.#checkLive();
    send(this, targets, { name, args, gated });
  }

  broadcast(name: string, args: readonly unknown[], gated: boolean): void {
    this.send(this.connections.listeners(name), name, args, gated);
  }

  disconnected(connection: Connection): Promise<void> {
    return this.connections.remove(connection);
  }

  async saveState(immediate: boolean): Promise<void> {
    this.#checkLive();
    if (!immediate) return;
    await this.handedOn();
    await this.store.durable?.();
  }

  /** Settles when the store has taken everything written so far. Rejects with `sql.output_in_transaction`. */
  async handedOn(): Promise<void> {
    if (this.inTransaction) throw sqlErrors.outputInTransaction();
    this.#markAll();
    await this.gate.barrier();
  }

  /** The save behind which this life writes nothing. Settles when all is durable; rejects when it never will be. */
  async lastSave(): Promise<void> {
    this.#markAll();
    if (this.queueing?.stale === true) this.gate.mark();
    await this.gate.lastBarrier();
    await this.store.durable?.();
  }

  /** What was kept back, or may have been written unseen, belongs to the next batch. */
  #markAll(): void {
    if (this.#creating !== "no") this.#release();
    if (this.#state?.suspicious === true) this.gate.mark();
  }

  /** What a call that leaves the actor waits for: nothing, when nothing is pending. */
  departure(): Promise<void> | undefined {
    if (this.inTransaction) return this.saveState(true);
    const clear = this.gate.clear && this.store.durable === undefined;
    if (this.#creating === "no" && this.#state?.suspicious !== true && clear) return undefined;
    return this.saveState(true);
  }

  /** True from the moment when the end for good was asked for. */
  get doomed(): boolean {
    return this.#doom !== "no";
  }

  /** The next batch says that the actor is gone: nothing that depends on it leaves before, and nothing new begins. */
  doom(): void {
    if (this.doomed) return;
    this.#doom = "unsaid";
    this.#schedules?.stop();
    this.queueing?.queues.arrivals.end();
    this.gate.mark();
  }

  /** Calls `end` when this life ends; returns what undoes it. Throws `actor.stopped` when it has ended. */
  atEnd(end: () => void): () => void {
    this.#checkLive();
    this.#held ??= new Set();
    this.#held.add(end);
    return () => this.#held?.delete(end);
  }

  /** This life has ended: what it held elsewhere is let go, and who waits for a turn gets none. */
  letGo(): void {
    this.#calls?.close();
    for (const end of this.#held ?? []) end();
    this.#held = undefined;
  }

  requestStop(reason: "sleep" | "destroy"): void {
    this.#checkLive();
    if (reason === "destroy") this.doom();
    this.host.requestStop(this.#instance, reason);
  }

  client(): Client {
    return this.#services.client(this);
  }

  take(): Batch {
    this.gate.taken();
    const rows: RowChange[] = [];
    this.#state?.take(rows);
    this.#kv?.take(rows);
    this.#calls?.take(rows);
    const scheduled = this.#schedules?.take(rows);
    const alarm = this.queueing === undefined ? scheduled : this.queueing.take(rows);
    if (this.#unsaid) rows.push({ key: CREATED_ROW, value: DONE });
    this.#unsaid = false;
    if (this.#doom === "unsaid") {
      rows.push({ key: DESTROYED_ROW, value: DONE });
      this.#doom = "said";
    }
    checkBatchSize(rows);
    return alarm === undefined ? { rows } : { rows, alarm };
  }

  settled(outcome: CommitOutcome): void {
    this.gate.settled(outcome);
    if (!outcome.durable) this.host.requestStop(this.#instance, "broken");
  }

  #commit(): void {
    if (this.#creating === "no") this.store.commit(this);
    else this.#creating = "wrote";
  }

  #checkLive(): void {
    if (this.phase.tag === "stopped") throw actorErrors.stopped(this.record.id);
  }
}
