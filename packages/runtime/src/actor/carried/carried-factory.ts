/**
 * Makes activations of one carried actor, on whatever carrier its source has at the moment.
 */
import type { Env } from "@troupe/base";
import type { ActorCarrier, CarrierSource } from "../../ports/carried.ts";
import type { ActorInstance, InstanceFactory, InstanceOpen } from "../../ports/instance.ts";
import type { StoreNeeds } from "../../ports/storage.ts";
import type { LimiterFor } from "../../rate-limit/limiter.ts";
import { type ActorDescriptor, describeCarried } from "../behaviour.ts";
import type { ActorTransport } from "./actor-calls.ts";
import { CarriedInstance } from "./carried-instance.ts";
import type { HostOptions } from "./host-options.ts";

/** What the actors of a factory get beside their own state and keys. */
export interface CarriedGrants {
  readonly database: boolean;
  /** See `StoreNeeds`. */
  readonly statementMs?: number | undefined;
  /** How they call other actors; undefined: they may not. */
  readonly actors: ActorTransport | undefined;
  /** In place of what the code declares. */
  readonly options?: HostOptions;
  /** Wakes one that was at work when it had to leave where it was. Must not throw. */
  readonly wake?: (actorId: string) => void;
  /** What limits their calls. */
  readonly limiter?: LimiterFor | undefined;
}

/** The factory of one registered name. */
export class CarriedFactory implements InstanceFactory {
  readonly needs: StoreNeeds;
  readonly #env: Env;
  readonly #source: CarrierSource;
  readonly #grants: CarriedGrants;
  /** What each carrier declared, taken apart once. */
  readonly #descriptors = new WeakMap<ActorCarrier, ActorDescriptor>();

  constructor(env: Env, source: CarrierSource, grants: CarriedGrants) {
    const { database, statementMs } = grants;
    this.needs = { database, statementMs };
    this.#env = env;
    this.#source = source;
    this.#grants = grants;
  }

  async open(request: InstanceOpen): Promise<ActorInstance> {
    const { record, input } = request;
    const { id: actorId, namespace, name, key } = record;
    const carrier = await this.#source.carrier({ actorId, namespace, name, key, input });
    const instance = new CarriedInstance(this.#env, request, {
      carrier,
      descriptor: this.#describe(carrier),
      grants: this.#grants,
    });
    await instance.start();
    return instance;
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  #describe(carrier: ActorCarrier): ActorDescriptor {
    let descriptor = this.#descriptors.get(carrier);
    if (descriptor === undefined) {
      const { declaration } = carrier;
      const options = { ...declaration.options, ...this.#grants.options };
      descriptor = describeCarried({ ...declaration, options });
      this.#descriptors.set(carrier, descriptor);
    }
    return descriptor;
  }
}
