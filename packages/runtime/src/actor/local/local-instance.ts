/**
 * The static kind: an actor whose code is TypeScript in this process.
 */

import { actorErrors } from "../../errors.ts";
import type { ActorRecord, Generation } from "../../ports/directory.ts";
import type {
  ActionCall,
  ActionScope,
  ActorConnection,
  ActorInstance,
  ConnectRequest,
  InstanceFactory,
  InstanceOpen,
  InstanceReport,
  StopReason,
} from "../../ports/instance.ts";
import type { RawRequest } from "../../ports/raw.ts";
import type { StoreNeeds } from "../../ports/storage.ts";
import type { Limiter } from "../../rate-limit/limiter.ts";
import type { ActorDescriptor, LocalBehaviour } from "../behaviour.ts";
import { Activation } from "./activation.ts";
import type { ActivationServices } from "./activation-services.ts";
import { awakeReasons } from "./awake-reasons.ts";
import { startCall } from "./call.ts";
import { Connection } from "./connection.ts";
import type { Connecting } from "./connections.ts";
import { LocalEdits } from "./edits.ts";
import { openSocket } from "./open-socket.ts";
import { openRequest } from "./raw-request.ts";
import { startSend } from "./send-call.ts";
import { begin, start } from "./start.ts";
import { stop } from "./stop.ts";

/** An activation of a static actor. */
export class LocalInstance implements ActorInstance {
  readonly record: ActorRecord;
  readonly generation: Generation;
  readonly #activation: Activation;
  readonly #limiter: Limiter | undefined;

  constructor(request: InstanceOpen, definition: LocalDefinition, services: ActivationServices) {
    this.record = request.record;
    this.generation = request.generation;
    this.#activation = new Activation({
      services,
      host: request.host,
      instance: this,
      store: request.store,
      descriptor: definition.descriptor,
      behaviour: definition.behaviour,
    });
    services.made?.(this.#activation);
    this.#limiter = services.limiter?.(definition.descriptor.options.rateLimit);
    // Nothing leaves before the creation is durable; when it can't be, there is nothing left to run.
    if (request.created !== undefined) {
      this.#activation.gate.hold(request.created, () => request.host.requestStop(this, "broken"));
    }
  }

  get accepting(): boolean {
    const { phase, doomed, gate } = this.#activation;
    // With a broken gate it ends as soon as the turn does: nothing that it would say leaves.
    return phase.tag === "running" && !doomed && gate.broken === undefined;
  }

  get doomed(): boolean {
    return this.#activation.doomed;
  }

  /** Runs the start hooks; then the instance accepts calls. At once when there are none. */
  start(request: InstanceOpen): this | Promise<this> {
    let starting: Promise<void> | undefined;
    try {
      starting = start(this.#activation, request);
    } catch (cause) {
      return this.#failed(cause);
    }
    return starting === undefined ? this.#begin() : this.#beginAfter(starting);
  }

  async #beginAfter(starting: Promise<void>): Promise<this> {
    try {
      await starting;
    } catch (cause) {
      return await this.#failed(cause);
    }
    return this.#begin();
  }

  async #failed(cause: unknown): Promise<never> {
    await this.stop("broken");
    throw cause;
  }

  #begin(): this {
    begin(this.#activation);
    const { connections, host } = this.#activation;
    connections.resume(host.known?.(this) ?? this);
    if (this.#activation.work.idle) this.#activation.onIdle();
    return this;
  }

  action(call: ActionCall, scope?: ActionScope): void {
    if (this.doomed) {
      // What an actor does behind its end would be gone with it: nobody may be told that it was done.
      this.#activation.emit(call.reply.error(actorErrors.destroyed()));
      return;
    }
    if (!this.accepting) {
      // Also behind the end of its connection: its client may send it again, and has to know that it may.
      call.reply.error(actorErrors.stopping()).release();
      return;
    }
    // Disconnected: its socket closes as soon as what was sent before has left.
    if (call.connection instanceof Connection) {
      if (call.connection.ended) return;
    }
    const refusal = this.#limiter?.refuses(call);
    if (refusal !== undefined) call.reply.error(refusal).release();
    else if (call.connection instanceof Connection && call.connection.waiting)
      this.#later(call, call.connection, scope);
    else this.#dispatch(call, scope);
  }

  #dispatch(call: ActionCall, scope: ActionScope | undefined): void {
    if (call.send === undefined) startCall(this.#activation, call, scope);
    else startSend(this.#activation, call, call.send);
  }

  /** A call behind a subscription that has to be waited for. It was let in: a stop that begins meanwhile waits for it. */
  #later(call: ActionCall, connection: Connection, scope: ActionScope | undefined): void {
    const { work } = this.#activation;
    work.begin("action");
    connection.inOrder(() => {
      if (!connection.ended) this.#dispatch(call, scope);
      work.end("action");
    });
  }

  async connect(request: ConnectRequest & Pick<Connecting, "raw">): Promise<ActorConnection> {
    const refusal = this.accepting ? this.#limiter?.refusesClient(request.params) : undefined;
    if (refusal !== undefined) throw refusal;
    return await this.#connect(request);
  }

  async #connect(request: ConnectRequest & Pick<Connecting, "raw">): Promise<ActorConnection> {
    if (!this.accepting) throw actorErrors.stopping();
    try {
      return await this.#activation.connections.enter(request);
    } catch (cause) {
      // What a hook says may depend on what isn't durable yet.
      const durable = await this.#durable();
      // A hook that the end of the activation has cut short refuses nobody: the next one runs it again.
      throw durable && this.accepting ? cause : actorErrors.stopping();
    }
  }

  open(asked: RawRequest): void {
    const request = this.#limiter === undefined ? asked : this.#limiter.admit(asked);
    if (request === undefined) return;
    if (request.kind === "http") openRequest(this.#activation, request);
    else void openSocket(this.#activation, request, (client) => this.#connect(client));
  }

  async #durable(): Promise<boolean> {
    try {
      await this.#activation.departure();
      return true;
    } catch {
      return false;
    }
  }

  settled(): Promise<void> {
    return this.#activation.gate.barrier();
  }

  stop(reason: StopReason): Promise<void> {
    const { phase } = this.#activation;
    if (phase.tag === "stopping") return phase.done;
    if (phase.tag === "stopped") return Promise.resolve();
    const { promise: done, resolve } = Promise.withResolvers<void>();
    this.#activation.phase = { tag: "stopping", reason, done };
    void stop(this.#activation, reason).then(() => {
      this.#wakeLater(reason);
      resolve();
    });
    return done;
  }

  report(): InstanceReport {
    const activation = this.#activation;
    return {
      phase: activation.phase.tag,
      awakeReasons: awakeReasons(activation),
      connections: activation.connections.all.size,
      actionsInFlight: activation.work.count("action"),
      alarmAt: activation.nextAlarm(),
      clients: [...activation.connections.all.values()],
      edits: new LocalEdits(activation),
    };
  }

  /** Schedules and messages that are left wake the actor again. */
  #wakeLater(reason: StopReason): void {
    const activation = this.#activation;
    const { hasSchedules, expiry, queueing, workflows } = activation;
    if (!hasSchedules && (expiry ?? queueing ?? workflows) === undefined) return;
    // A broken activation knows what it wrote, its end for good too, not what is stored: whoever has the alarms must look.
    const broken = reason === "broken" || activation.gate.broken !== undefined;
    if (activation.doomed && !broken) return;
    const next = broken ? undefined : activation.nextAlarm();
    if (next !== null) activation.host.alarm(this, next);
  }
}

/** A definition of the local kind. */
export interface LocalDefinition {
  readonly descriptor: ActorDescriptor;
  readonly behaviour: LocalBehaviour;
}

/** Makes activations of static actors. */
export class LocalFactory implements InstanceFactory {
  readonly needs: StoreNeeds;
  readonly takesScopes = true;
  readonly #definition: LocalDefinition;
  readonly #services: ActivationServices;

  constructor(definition: LocalDefinition, services: ActivationServices) {
    this.needs = { database: definition.behaviour.database !== undefined };
    this.#definition = definition;
    this.#services = services;
  }

  /** An action's time by the definition, milliseconds. */
  get actionTimeoutMs(): number {
    return this.#definition.descriptor.options.actionTimeout;
  }

  open(request: InstanceOpen): ActorInstance | Promise<ActorInstance> {
    return new LocalInstance(request, this.#definition, this.#services).start(request);
  }
}
