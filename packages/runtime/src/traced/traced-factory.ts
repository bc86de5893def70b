/** A kind's factory whose activations are traced: waking is a scope, and what its hooks do is below it. */
import type { Scope } from "@troupe/relay";
import { NamedHost } from "../host/named-host.ts";
import type { ActorInstance, InstanceFactory, InstanceOpen } from "../ports/instance.ts";
import type { StoreNeeds } from "../ports/storage.ts";
import type { Whole } from "../ports/whole.ts";
import { WatchedStore } from "../watched/watched-store.ts";
import { TracedInstance } from "./traced-instance.ts";
import { actorFacts, endScope, failedWith, OK, type Tracing } from "./tracing.ts";

/** The time of an actor's last batch. */
class StorageTime {
  storageMs = 0;

  stored(_rows: unknown, ms: number): void {
    this.storageMs = ms;
  }
}

/** Makes activations of one kind that are traced. */
export class TracedFactory implements Whole<InstanceFactory> {
  readonly needs: StoreNeeds;
  /** It makes them itself. */
  readonly takesScopes = false;
  readonly reload: InstanceFactory["reload"];
  readonly #factory: InstanceFactory;
  readonly #tracing: Tracing;

  constructor(factory: InstanceFactory, tracing: Tracing) {
    this.needs = factory.needs ?? {};
    this.reload = factory.reload;
    this.#factory = factory;
    this.#tracing = tracing;
  }

  open(request: InstanceOpen): ActorInstance | Promise<ActorInstance> {
    const { relay, env } = this.#tracing;
    const now = env.clock.monotonic();
    const from = request.since ?? now;
    const time = new StorageTime();
    const store = new WatchedStore(request.store, env, time);
    const wrap = (instance: ActorInstance): TracedInstance =>
      new TracedInstance(instance, this.#tracing, {
        store: time,
        takesScopes: this.#factory.takesScopes === true,
        wakeMs: env.clock.monotonic() - from,
      });
    const host = new NamedHost(request.host, wrap);
    const { record, isNew } = request;
    const what = isNew ? "create" : "wake";
    const scope = relay.pushScope(`${record.name}.${what}`, "function", {
      metadata: { ...actorFacts(record, what), "troupe.load_ms": now - from },
    });
    const opened = (instance: ActorInstance): ActorInstance => {
      const traced = host.opened(instance);
      endScope(relay, scope, { metadata: OK });
      return traced;
    };
    return this.#open({ ...request, store, host }, scope, opened);
  }

  async close(): Promise<void> {
    await this.#factory.close?.();
  }

  #open(
    request: InstanceOpen,
    scope: Scope,
    opened: (instance: ActorInstance) => ActorInstance,
  ): ActorInstance | Promise<ActorInstance> {
    const { relay } = this.#tracing;
    const failed = (error: unknown): never => {
      endScope(relay, scope, failedWith(error));
      throw error;
    };
    let instance: ActorInstance | Promise<ActorInstance>;
    try {
      instance = relay.withScopeStack(scope, () => this.#factory.open(request));
    } catch (error) {
      return failed(error);
    }
    return instance instanceof Promise ? instance.then(opened, failed) : opened(instance);
  }
}
