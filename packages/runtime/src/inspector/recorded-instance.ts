/**
 * RecordedInstance: an activation of any kind, seen from outside. It stands before the real one at the port, and passes
 * everything on; the host knows this one alone, so what the real one says to its host is said in this one's name.
 *
 * Without an inspector there is none of this: the factories are the kinds' own.
 */
import type { Env } from "@troupe/base";
import { NamedHost } from "../host/named-host.ts";
import type { ActorRecord, Generation } from "../ports/directory.ts";
import type {
  ActionCall,
  ActorConnection,
  ActorInstance,
  ConnectRequest,
  InstanceFactory,
  InstanceOpen,
  InstanceReport,
  StopReason,
} from "../ports/instance.ts";
import type { RawRequest } from "../ports/raw.ts";
import type { StoreNeeds } from "../ports/storage.ts";
import type { Whole } from "../ports/whole.ts";
import { RecordedCall } from "./recorded-call.ts";
import { RecordedStore } from "./recorded-store.ts";
import type { ActorRecorder, Recorders } from "./recorder.ts";

/** An activation that is recorded. */
export class RecordedInstance implements Whole<ActorInstance> {
  readonly store: RecordedStore;
  readonly #env: Pick<Env, "clock">;
  readonly #recorder: ActorRecorder;
  readonly #instance: ActorInstance;
  #stopping: Promise<void> | undefined;

  constructor(
    instance: ActorInstance,
    store: RecordedStore,
    env: Pick<Env, "clock">,
    recorder: ActorRecorder,
  ) {
    this.#instance = instance;
    this.store = store;
    this.#env = env;
    this.#recorder = recorder;
  }

  get record(): ActorRecord {
    return this.#instance.record;
  }

  get generation(): Generation {
    return this.#instance.generation;
  }

  get accepting(): boolean {
    return this.#instance.accepting;
  }

  get doomed(): boolean {
    return this.#instance.doomed;
  }

  action(call: ActionCall): void {
    this.#instance.action(new RecordedCall(call, this.#env, this.#recorder));
  }

  connect(request: ConnectRequest): Promise<ActorConnection> {
    return this.#instance.connect(request);
  }

  open(request: RawRequest): void {
    this.#instance.open(request);
  }

  settled(): Promise<void> {
    return this.#instance.settled();
  }

  stop(reason: StopReason): Promise<void> {
    this.#stopping ??= this.#stop(reason);
    return this.#stopping;
  }

  report(): InstanceReport {
    return this.#instance.report();
  }

  async #stop(reason: StopReason): Promise<void> {
    this.#recorder.phase("stopping");
    await this.#instance.stop(reason);
    this.#recorder.phase(this.doomed ? "destroyed" : "asleep");
  }
}

/** A kind's factory whose activations are recorded. */
export class RecordedFactory implements Whole<InstanceFactory> {
  readonly needs: StoreNeeds;
  /** A recorded call is in the scope that it was given with. */
  readonly takesScopes = false;
  readonly #factory: InstanceFactory;
  readonly #env: Pick<Env, "clock">;
  readonly #recorders: Recorders;

  constructor(factory: InstanceFactory, env: Pick<Env, "clock">, recorders: Recorders) {
    this.needs = factory.needs ?? {};
    this.#factory = factory;
    this.#env = env;
    this.#recorders = recorders;
  }

  async open(request: InstanceOpen): Promise<ActorInstance> {
    const recorder = this.#recorders.of(request.record);
    recorder.phase("loading");
    const store = new RecordedStore(request.store, this.#env, recorder);
    const wrap = (instance: ActorInstance): RecordedInstance =>
      new RecordedInstance(instance, store, this.#env, recorder);
    const host = new NamedHost(request.host, wrap);
    const opened = this.#factory.open({ ...request, store, host });
    const recorded = host.opened(opened instanceof Promise ? await opened : opened);
    recorder.phase("running");
    return recorded;
  }

  async close(): Promise<void> {
    await this.#factory.close?.();
  }
}
