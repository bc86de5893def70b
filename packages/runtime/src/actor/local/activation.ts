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
import type { Relay } from "@troupe/relay";
import { actorErrors } from "../../errors.ts";
import { RetainedEvents } from "../../events/retained.ts";
import { OutputGate } from "../../gate/output-gate.ts";
import { Kv } from "../../kv/kv.ts";
import type { ActorRecord, Generation } from "../../ports/directory.ts";
import type { ActorInstance, InstanceHost } from "../../ports/instance.ts";
import type { Output } from "../../ports/output.ts";
import type { ActorStore, Batch, BatchSource, CommitOutcome } from "../../ports/storage.ts";
import type { Queues } from "../../queue/queues.ts";
import type { Schedules } from "../../schedule/schedule.ts";
import { sqlErrors } from "../../sql/errors.ts";
import { checkBatchSize } from "../../storage/batch-size.ts";
import type { Workflows } from "../../workflow/workflows.ts";
import type { ActorDescriptor, Hook, LocalBehaviour } from "../behaviour.ts";
import { LazyAbort } from "./abort.ts";
import type { ActivationParts, Phase } from "./activation-parts.ts";
import type { ActivationServices, Running } from "./activation-services.ts";
import { borrowerOf } from "./borrower.ts";
import type { Connection, ConnectionOwner } from "./connection.ts";
import { Connections } from "./connections.ts";
import { abandonTransaction, type DatabaseClient, inTransaction, openDatabase } from "./database-client.ts";
import { enterChain } from "./enter-chain.ts";
import { broadcast, send } from "./events.ts";
import { type Expiry, earliest, openExpiry } from "./expiry.ts";
import { openSchedules } from "./fire-schedule.ts";
import { runHook } from "./hook.ts";
import { Milestones } from "./milestones.ts";
import { Queueing } from "./queueing.ts";
import type { RunWork } from "./run.ts";
import { SharedByCalls } from "./shared-by-calls.ts";
import { stateChangeNotice } from "./state-change.ts";
import type { Borrower } from "./state-loans.ts";
import type { StateTree } from "./state-tree.ts";
import { subscribe } from "./subscribing.ts";
import { Work, type WorkOwner } from "./work.ts";

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
  /** There when the actor ends by itself. */
  readonly expiry: Expiry | undefined;
  /** The promise of `run`, while it goes on. */
  running: Promise<void> | undefined;
  runWork: RunWork | undefined;
  /** Its queues, once somebody needs them. */
  queueing: Queueing | undefined;
  /** Its workflows, where it has some. */
  workflows: Workflows | undefined;
  readonly services: ActivationServices;
  readonly #instance: ActorInstance;
  readonly #milestones: Milestones;
  #state: StateTree | undefined;
  #schedules: Schedules | undefined;
  #kv: Kv | undefined;
  #retained: RetainedEvents | undefined;
  #database: DatabaseClient | undefined;
  /** Rows of its own that no batch has taken yet. */
  #own: Map<string, Uint8Array> | undefined;
  #log: Logger | undefined;
  #held: Set<() => void> | undefined;
  #calls: SharedByCalls | undefined;

  constructor(parts: ActivationParts) {
    this.services = parts.services;
    this.#instance = parts.instance;
    this.record = parts.instance.record;
    this.generation = parts.instance.generation;
    this.descriptor = parts.descriptor;
    this.behaviour = parts.behaviour;
    this.env = parts.services.env;
    this.host = parts.host;
    this.store = parts.store;
    this.#milestones = new Milestones(parts.store, this);
    this.gate = new OutputGate(() => this.#milestones.wrote());
    this.work = new Work(this);
    this.connections = new Connections(this);
    this.expiry = openExpiry(this);
  }

  get state(): StateTree {
    if (this.#state === undefined) throw actorErrors.noState(this.record.name);
    return this.#state;
  }

  get relay(): Relay | undefined {
    return this.services.relay;
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

  /** When the next schedule is due, or its time is over (wall clock, ms). */
  get scheduledAt(): number | null {
    return earliest(this.#schedules?.nextAt(), this.expiry?.at);
  }

  get inTransaction(): boolean {
    return this.#database !== undefined && inTransaction(this.#database);
  }

  get retained(): RetainedEvents {
    this.#retained ??= new RetainedEvents({ stored: this.store, wrote: () => this.wrote() });
    return this.#retained;
  }

  /** What its calls share: turns, and keys. */
  get calls(): SharedByCalls {
    this.#calls ??= new SharedByCalls(this, this.services);
    return this.#calls;
  }

  get activation(): Activation {
    return this;
  }

  get database(): DatabaseClient {
    const { sqlChain } = this.services;
    this.#database ??= openDatabase(this, { current: sqlChain, checkLive: () => this.#checkLive() });
    return this.#database;
  }

  /** What is open in the database is undone: its batch is the last one, or is lost. */
  abandonTransaction(): void {
    if (this.#database !== undefined) abandonTransaction(this.#database);
  }

  /** Nothing keeps it awake: the host may let it sleep. */
  onIdle(): void {
    this.expiry?.idle();
    const { noSleep, sleepTimeout } = this.descriptor.options;
    if (this.phase.tag === "running" && !noSleep) this.host.idle(this.#instance, sleepTimeout);
  }

  onBusy(): void {
    this.expiry?.busy();
    this.host.busy(this.#instance);
  }

  adoptState(state: StateTree): void {
    this.#state = state;
    const { onStateChange } = this.behaviour.hooks;
    if (onStateChange) state.onChange = stateChangeNotice(this, state, onStateChange);
  }

  /** Keeps back what the creation writes, until {@link created} or until something waits for it. */
  creating(): void {
    this.#milestones.creating();
  }

  /** Keeps back what a migration writes: with an error nothing of it stays. */
  migrating(): void {
    this.#milestones.migrating();
  }

  /** The migration is done. */
  migrated(): void {
    this.#milestones.migrated();
  }

  /** The creation is done: the batch that says so may go, with all that was kept back. */
  created(): void {
    if (this.#milestones.created()) this.gate.mark();
  }

  setVars(value: unknown): void {
    this.#checkLive();
    this.vars = value;
  }

  /** Who assigns to the state now. */
  borrower(): Borrower {
    return borrowerOf(this, this.services.current.get());
  }

  /**
   * Runs user code as this actor, for one of its calls or for none, and outside of any transaction: whoever brought it here
   * may be in one.
   */
  enter<R>(fn: () => R, running: Running = this): R {
    const { current } = this.services;
    if (this.behaviour.database === undefined) return current.run(running, fn);
    return enterChain(this, this.services, running, () => current.run(running, fn));
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

  /** A row of the activation's own, for the next batch. */
  writeRow(key: string, value: Uint8Array): void {
    this.wrote();
    this.#own ??= new Map();
    this.#own.set(key, value);
  }

  /** When the actor wants to be woken; `null` for never. */
  nextAlarm(): number | null {
    return earliest(earliest(this.scheduledAt, this.queueing?.wakeAt), this.workflows?.alarm);
  }

  /** Sends an output through the gate. */
  emit(output: Output): void {
    if (this.#milestones.held) this.#milestones.release();
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
    this.#checkLive();
    broadcast(this, { name, args, gated });
  }

  subscribe(...wish: Parameters<ConnectionOwner["subscribe"]>): void {
    subscribe(this, ...wish);
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
    if (this.queueing?.stale === true || this.workflows?.stale === true) this.gate.mark();
    await this.gate.lastBarrier();
    await this.store.durable?.();
  }

  /** What was kept back or may have been written unseen belongs to the next batch. */
  #markAll(): void {
    if (this.#milestones.held) this.#milestones.release();
    if (this.#state?.suspicious === true) this.gate.mark();
  }

  /** What a call that leaves the actor waits for: nothing, when nothing is pending. */
  departure(): Promise<void> | undefined {
    if (this.inTransaction) return this.saveState(true);
    const clear = this.gate.clear && this.store.durable === undefined;
    if (!this.#milestones.held && this.#state?.suspicious !== true && clear) return undefined;
    return this.saveState(true);
  }

  /** True from the moment when the end for good was asked for. */
  get doomed(): boolean {
    return this.#milestones.doomed;
  }

  /** The next batch says that the actor is gone: nothing that depends on it leaves before, and nothing new begins. */
  doom(): void {
    if (!this.#milestones.doom()) return;
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

  client(call?: Running["call"]): Client {
    return this.services.client(this, call);
  }

  take(): Batch {
    this.gate.taken();
    const rows = this.connections.take();
    this.#state?.take(rows);
    this.#kv?.take(rows);
    this.#calls?.take(rows);
    this.#retained?.take(rows);
    const moved = this.#schedules?.take(rows) !== undefined || this.#own !== undefined;
    for (const [key, value] of this.#own ?? []) rows.push({ key, value });
    this.#own = undefined;
    const queued = this.queueing?.take(rows) !== undefined;
    const flows = this.workflows?.take(rows) === true;
    const alarm = moved || queued || flows ? this.nextAlarm() : undefined;
    this.#milestones.take(rows);
    checkBatchSize(rows);
    return alarm === undefined ? { rows } : { rows, alarm };
  }

  settled(outcome: CommitOutcome): void {
    this.gate.settled(outcome);
    if (!outcome.durable) this.host.requestStop(this.#instance, "broken");
  }

  #checkLive(): void {
    if (this.phase.tag === "stopped") throw actorErrors.stopped(this.record.id);
  }
}
