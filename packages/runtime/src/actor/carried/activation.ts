/**
 * CarriedActivation: one life of an actor whose code runs behind a carrier.
 *
 * The code says what it writes and what it answers, in order, and never waits for the disk. Here its writes become
 * batches and its answers outputs, and the gate lets an output go when the writes before it are durable. So the promise
 * holds whatever the code does, in whatever language.
 *
 *   loading ──started──▶ running ──stop asked──▶ stopping ──released──▶ stopped
 *
 * What a creation wrote is kept back until the code says that it has started, and goes in one batch with the row that
 * ends the creation; a hook that waits for the disk (a barrier) lets it go early. When the carrier is lost, what the code
 * had written by then is whole batches, and is stored; its calls fail, since nobody knows what became of them.
 */
import type { Env, Logger, TroupeError } from "@troupe/base";
import {
  CarriedStopReason,
  fromCarriedError,
  type PayloadEncoding,
  type Write,
} from "@troupe/protocol/actor/v1";
import { actorErrors, hostingErrors, retryable } from "../../errors.ts";
import { OutputGate } from "../../gate/output-gate.ts";
import type {
  ActorCarrier,
  ActorEar,
  ActorLine,
  ActorSaying,
  ActorWord,
  CarriedDeclaration,
} from "../../ports/carried.ts";
import type { ActionCall, CloseReason, InstanceOpen, StopReason } from "../../ports/instance.ts";
import type { Output } from "../../ports/output.ts";
import type {
  ActorSql,
  Batch,
  BatchSource,
  CommitOutcome,
  MaybePromise,
  Row,
  RowChange,
  RowRange,
} from "../../ports/storage.ts";
import { notDurable } from "../../storage/not-durable.ts";
import { listOver, readOver } from "../../storage/overlay.ts";
import type { ActorDescriptor } from "../behaviour.ts";
import type { Connection, ConnectionOwner } from "../local/connection.ts";
import { earliest } from "../local/expiry.ts";
import { Milestones } from "../local/milestones.ts";
import { Work } from "../local/work.ts";
import { ActorCalls } from "./actor-calls.ts";
import { Calls, keepsAwake, longestCallMs } from "./calls.ts";
import type { CarriedGrants } from "./carried-factory.ts";
import { CarriedSql } from "./carried-sql.ts";
import { Clients } from "./clients.ts";
import { JoinedWords } from "./joined-words.ts";
import { Kept } from "./kept.ts";
import { logLevels } from "./log-levels.ts";
import { PendingWrites } from "./pending-writes.ts";
import { answer } from "./questions.ts";
import { Requests } from "./requests.ts";
import { Sleepers } from "./sleepers.ts";
import { Sockets } from "./sockets.ts";
import { firstWords } from "./start-words.ts";

/** The lifecycle, tagged. */
export type CarriedPhase =
  | { readonly tag: "loading"; readonly started: PromiseWithResolvers<void> }
  | { readonly tag: "running" }
  | { readonly tag: "stopping"; readonly stopped: PromiseWithResolvers<void>; readonly done: Promise<void> }
  | { readonly tag: "stopped" };

/** What an activation is made of. */
export interface CarriedParts {
  readonly env: Env;
  readonly request: InstanceOpen;
  readonly carrier: ActorCarrier;
  readonly descriptor: ActorDescriptor;
  readonly grants: CarriedGrants;
  readonly onIdle: () => void;
  readonly onBusy: () => void;
  /** The activation must end, for a reason of its own. */
  readonly onEnd: (reason: StopReason) => void;
  readonly onLeave: () => void;
}

/** One life of a carried actor. */
export class CarriedActivation implements ActorEar, BatchSource, ConnectionOwner {
  readonly env: Env;
  readonly request: InstanceOpen;
  readonly descriptor: ActorDescriptor;
  readonly declaration: CarriedDeclaration;
  readonly encoding: PayloadEncoding;
  readonly gate: OutputGate;
  readonly work: Work;
  readonly calls: Calls;
  readonly clients: Clients;
  readonly sockets: Sockets;
  /** Its clients that stay while it sleeps. */
  readonly sleepers: Sleepers;
  readonly sql: CarriedSql;
  /** Its own calls to other actors. */
  readonly outward: ActorCalls;
  readonly requests: Requests;
  readonly log: Logger;
  /** Its queues and schedules, where the host keeps them and there were any. */
  kept: Kept | undefined;
  phase: CarriedPhase = { tag: "loading", started: Promise.withResolvers<void>() };
  /** The code's own alarm. */
  #codesAlarm: number | null = null;
  readonly #parts: CarriedParts;
  readonly #line: ActorLine;
  readonly #writes: PendingWrites;
  readonly #milestones: Milestones;
  readonly #joined = new JoinedWords((cause) => this.break(cause));
  /** Answers of all that its carrier carries. */
  readonly soon = (): Promise<void> | undefined => this.#parts.carrier.soon?.();
  #lost: TroupeError | undefined;
  /** The code has work beside what is known here. */
  #busy = false;

  constructor(parts: CarriedParts) {
    this.#parts = parts;
    this.env = parts.env;
    this.request = parts.request;
    this.descriptor = parts.descriptor;
    this.declaration = parts.carrier.declaration;
    this.encoding = parts.carrier.encoding;
    const { name, id } = parts.request.record;
    this.log = parts.env.log.child({ actor: name, actorId: id });
    this.#milestones = new Milestones(parts.request.store, this);
    this.gate = new OutputGate(() => this.#milestones.wrote());
    this.work = new Work({ onIdle: parts.onIdle, onBusy: parts.onBusy });
    this.#writes = new PendingWrites(this.encoding, parts.request.rows, this.declaration.kept === true);
    this.clients = new Clients(this);
    this.sockets = new Sockets(this);
    this.sleepers = new Sleepers(this);
    this.sql = new CarriedSql(this, parts.carrier);
    this.outward = new ActorCalls(this, parts.grants.actors);
    this.requests = new Requests(this);
    this.calls = new Calls({
      env: parts.env,
      encoding: this.encoding,
      timeoutMs: longestCallMs(parts.descriptor.options),
      answered: (call, output) => this.#answered(call, output),
      cancel: (call) => {
        this.say({ $case: "cancel", value: { call } });
        this.kept?.cancelled(call);
      },
      emit: (output) => this.emit(output),
      credit: (call, items) => this.say({ $case: "streamCredit", value: { call, items } }),
      over: () => this.work.end("action"),
    });
    this.kept = Kept.atStart(this);
    this.#line = parts.carrier.connect(this, parts.onLeave);
  }

  /** When the actor wants to be woken (wall clock, ms), `null` for never. */
  get alarmAt(): number | null {
    return earliest(this.#codesAlarm, this.kept?.alarmAt);
  }

  /** Settles when the code has started; rejects with what it says went wrong. */
  async start(): Promise<void> {
    const { isNew, created } = this.request;
    if (created !== undefined) this.gate.hold(created, () => this.#parts.onEnd("broken"));
    // What a migration writes to the database is kept back as well: with an error nothing of it stays.
    if (isNew) this.#milestones.creating();
    else if (this.declaration.database) this.#milestones.migrating();
    if (this.phase.tag !== "loading") return;
    const { promise: started } = this.phase.started;
    for (const word of firstWords(this.request, this.#parts.carrier, this.sleepers.take())) this.say(word);
    await started;
    this.#milestones.migrated();
    if (this.#milestones.created()) this.gate.mark();
    this.phase = { tag: "running" };
    this.kept?.start();
  }

  /** The carrier is lost, and the code with it. */
  get gone(): boolean {
    return this.#lost !== undefined;
  }

  get doomed(): boolean {
    return this.#milestones.doomed;
  }

  say(word: ActorWord): void {
    this.#line.send(word);
  }

  heard(saying: ActorSaying): void {
    if (this.phase.tag === "stopped" || this.gone) return;
    for (const word of this.#joined.heard(saying)) this.#hearOne(word);
  }

  #hearOne(saying: ActorSaying): void {
    try {
      this.#hear(saying);
    } catch (cause) {
      this.log.error("the actor's code said something that can't be", { what: saying.$case, cause });
      if (saying.$case === "write") this.break(cause);
    }
  }

  lost(error: TroupeError, unsent?: readonly ActorWord[]): void {
    if (this.gone || this.phase.tag === "stopped") return;
    this.#lost = error;
    this.sql.lost(error);
    this.calls.failAll(error, unsent);
    this.clients.refuseAll(actorErrors.stopping());
    this.sockets.refuseAll(actorErrors.stopping());
    this.requests.endAll(error);
    // Whoever waited for the start was not let in: the next activation may.
    if (this.phase.tag === "loading") this.phase.started.reject(retryable(error));
    else if (this.phase.tag === "stopping") this.phase.stopped.resolve();
    else this.#parts.onEnd(this.gate.broken === undefined ? "sleep" : "broken");
  }

  emit(output: Output): void {
    this.gate.emit(output);
  }

  send(targets: readonly Connection[], name: string, args: readonly unknown[], gated: boolean): void {
    if (targets.length > 0) this.clients.deliver(targets, name, args, gated);
  }

  subscribe(...wish: Parameters<ConnectionOwner["subscribe"]>): void {
    this.clients.subscribe(...wish);
  }

  disconnected(connection: Connection): Promise<void> {
    this.clients.remove(connection);
    return Promise.resolve();
  }

  /** Values of rows, as the code has written them. */
  read(keys: readonly string[]): MaybePromise<readonly (Uint8Array | undefined)[]> {
    return readOver(this.#writes.open, this.request.store, keys);
  }

  /** Rows of a range, as the code has written them. */
  list(range: RowRange): MaybePromise<readonly Row[]> {
    return listOver(this.#writes.open, this.request.store, range);
  }

  openSql(): ActorSql | undefined {
    return this.request.store.sql?.(() => {
      this.checkLive();
      this.gate.mark();
    });
  }

  checkLive(): void {
    if (this.phase.tag === "stopped" || this.gone) throw actorErrors.stopped(this.request.record.id);
  }

  /** Settles when everything written so far is durable. */
  durable(): Promise<void> {
    this.#milestones.release();
    return this.gate.barrier();
  }

  /** The next batch says that the actor is gone. */
  doom(): void {
    if (!this.#milestones.doom()) return;
    this.kept?.stop();
    this.gate.mark();
  }

  /** Nothing that it says from now on can be trusted to be stored whole. What is on its way to the disk may yet be. */
  break(cause: unknown): void {
    this.gate.break(notDurable(this.calls.allStored ? "no" : "unknown", cause).error);
    this.#parts.onEnd("broken");
  }

  /** Ends all connections and sockets. */
  closeAll(reason: CloseReason & { readonly kind: "stopped" | "destroyed" | "broken" }): void {
    this.clients.closeAll(reason.kind, reason.text);
    this.sockets.closeAll(reason);
  }

  /** Nothing more is said or heard. */
  hangUp(): void {
    this.#line.close();
  }

  take(): Batch {
    this.gate.taken();
    this.calls.batches.taken += 1;
    const own: RowChange[] = [];
    const moved = this.kept?.take(own) === true;
    this.#milestones.take(own);
    own.push(...this.clients.kept.rows.take());
    const batch = this.#writes.take(own);
    return moved || batch.alarm !== undefined ? { ...batch, alarm: this.alarmAt } : batch;
  }

  settled(outcome: CommitOutcome): void {
    if (outcome.durable) this.calls.batches.stored += 1;
    this.gate.settled(outcome);
    if (!outcome.durable) this.#parts.onEnd("broken");
  }

  #hear(saying: ActorSaying): void {
    const { $case: what, value } = saying;
    switch (what) {
      case "write":
        return this.#wrote(value);
      case "reply":
        this.kept?.replied(value);
        return this.calls.reply(value);
      case "streamStart":
        return this.calls.flow(value.call);
      case "streamItem":
        return this.calls.item(value);
      case "event":
        return this.clients.event(value);
      case "kick":
        return this.clients.kick(value.connection, value.reason);
      case "connected": {
        const error = value.error && fromCarriedError(value.error, this.encoding);
        // Who was refused may be told of what isn't durable yet: not before it is.
        return this.clients.answered(value.connection, error, value.stays);
      }
      case "subscribed":
        return this.clients.subscribed(value);
      case "ask":
        return void answer(this, value);
      case "rest":
        return this.#rest(value.idle);
      case "socketAccept":
        return this.sockets.answered(value);
      case "socketAcknowledge":
        return this.sockets.acknowledge(value);
      case "socketMessage":
        return this.sockets.message(value);
      case "socketClose":
        return this.sockets.close(value);
      default:
        if (this.requests.heard(saying)) return;
        return this.#hearLifecycle(saying);
    }
  }

  #hearLifecycle(saying: ActorSaying): void {
    switch (saying.$case) {
      case "started":
        if (this.phase.tag !== "loading") throw hostingErrors.outOfTurn("Started");
        this.#codesAlarm = saying.value.alarmAt === 0 ? null : saying.value.alarmAt;
        if (saying.value.error === undefined) this.phase.started.resolve();
        else this.phase.started.reject(fromCarriedError(saying.value.error, this.encoding));
        return;
      case "withdraw":
        return this.outward.withdraw(saying.value.ask);
      case "restored":
        return this.sleepers.restored(saying.value);
      case "stopped":
        this.sleepers.leave(saying.value);
        if (this.phase.tag === "stopping") this.phase.stopped.resolve();
        // It ended by itself: it couldn't go on.
        else this.lost(actorErrors.stopped(this.request.record.id));
        return;
      case "end":
        return this.#end(saying.value.reason === CarriedStopReason.DESTROY);
      case "log":
        this.log[logLevels.get(saying.value.level) ?? "info"](saying.value.message);
        return;
      default:
        throw actorErrors.notCarried(saying.$case);
    }
  }

  #wrote(write: Write): void {
    const destroyed = this.#writes.add(this.clients.kept.wrote(write));
    if (write.alarmChanged) this.#codesAlarm = write.alarmAt === 0 ? null : write.alarmAt;
    if (destroyed) this.doom();
    this.sql.turns.over(write);
    const endsTurnsOnly = write.turns !== undefined && write.rows.length === 0 && !write.alarmChanged;
    if (!endsTurnsOnly) this.gate.mark();
  }

  #end(forGood: boolean): void {
    if (forGood) this.doom();
    this.#parts.onEnd(forGood ? "destroy" : "sleep");
  }

  #rest(idle: boolean): void {
    if (this.#busy !== idle) return;
    this.#busy = !idle;
    if (idle) this.work.end("carried");
    else this.work.begin("carried");
  }

  #answered(call: ActionCall, output: Output): void {
    this.emit(output);
    if (keepsAwake(call)) this.work.end("action");
  }
}
