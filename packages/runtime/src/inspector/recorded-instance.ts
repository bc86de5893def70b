/**
 * RecordedInstance: an activation of any kind, with the moments of its calls and of its life written down.
 *
 * Without an inspector there is none of this: the factories are the kinds' own.
 */
import type { Env } from "@troupe/base";
import { NamedHost } from "../host/named-host.ts";
import type {
  ActionCall,
  ActorInstance,
  InstanceFactory,
  InstanceOpen,
  StopReason,
} from "../ports/instance.ts";
import type { StoreNeeds } from "../ports/storage.ts";
import type { Whole } from "../ports/whole.ts";
import { WatchedInstance } from "../watched/watched-instance.ts";
import { WatchedStore } from "../watched/watched-store.ts";
import { RecordedCall } from "./recorded-call.ts";
import type { ActorRecorder, Recorders } from "./recorder.ts";

/** An activation that is recorded. */
export class RecordedInstance extends WatchedInstance {
  readonly store: WatchedStore;
  readonly #env: Pick<Env, "clock">;
  readonly #recorder: ActorRecorder;

  constructor(
    instance: ActorInstance,
    store: WatchedStore,
    env: Pick<Env, "clock">,
    recorder: ActorRecorder,
  ) {
    super(instance);
    this.store = store;
    this.#env = env;
    this.#recorder = recorder;
  }

  override action(call: ActionCall): void {
    this.instance.action(new RecordedCall(call, this.#env, this.#recorder));
  }

  protected override async stopOnce(reason: StopReason): Promise<void> {
    this.#recorder.phase("stopping");
    await this.instance.stop(reason);
    this.#recorder.phase(this.doomed ? "destroyed" : "asleep");
  }
}

/** A kind's factory whose activations are recorded. */
export class RecordedFactory implements Whole<InstanceFactory> {
  readonly needs: StoreNeeds;
  /** A recorded call is in the scope that it was given with. */
  readonly takesScopes = false;
  readonly reload: InstanceFactory["reload"];
  readonly #factory: InstanceFactory;
  readonly #env: Pick<Env, "clock">;
  readonly #recorders: Recorders;

  constructor(factory: InstanceFactory, env: Pick<Env, "clock">, recorders: Recorders) {
    this.needs = factory.needs ?? {};
    this.reload = factory.reload;
    this.#factory = factory;
    this.#env = env;
    this.#recorders = recorders;
  }

  async open(request: InstanceOpen): Promise<ActorInstance> {
    const recorder = this.#recorders.of(request.record);
    recorder.phase("loading");
    const store = new WatchedStore(request.store, this.#env, recorder);
    const wrap = (instance: ActorInstance): RecordedInstance =>
      new RecordedInstance(instance, store, this.#env, recorder);
    const host = new NamedHost(request.host, wrap);
    const recorded = host.opened(await this.#factory.open({ ...request, store, host }));
    recorder.awakeSince = this.#env.clock.now();
    recorder.phase("running");
    return recorded;
  }

  async close(): Promise<void> {
    await this.#factory.close?.();
  }
}
