/**
 * Makes activations of one carried actor, on whatever carrier its source has at the moment.
 */
import type { Env } from "@troupe/base";
import type { ActorCarrier, CarrierSource } from "../../ports/carried.ts";
import type { ActorAddress } from "../../ports/directory.ts";
import type { ActorInstance, InstanceFactory, InstanceOpen } from "../../ports/instance.ts";
import type { StoreNeeds } from "../../ports/storage.ts";
import type { LimiterFor } from "../../rate-limit/limiter.ts";
import { type ActorDescriptor, describeCarried } from "../behaviour.ts";
import type { ActorTransport } from "./actor-calls.ts";
import { CarriedInstance } from "./carried-instance.ts";
import type { CarriedAuth } from "./entry-auth.ts";
import { FailedStarts } from "./failed-starts.ts";
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
  /** Who may come to them. Default: whoever their code lets in. */
  readonly auth?: CarriedAuth | undefined;
  /** Each activation loads its code anew. */
  readonly reloads?: boolean | undefined;
  /** What limits their calls. */
  readonly limiter?: LimiterFor | undefined;
}

/** The factory of one registered name. */
export class CarriedFactory implements InstanceFactory {
  readonly needs: StoreNeeds;
  readonly reload: ((address: ActorAddress) => void) | undefined;
  readonly #failedStarts: FailedStarts | undefined;
  readonly #env: Env;
  readonly #source: CarrierSource;
  readonly #grants: CarriedGrants;
  /** What each carrier declared, taken apart once. */
  readonly #descriptors = new WeakMap<ActorCarrier, ActorDescriptor>();

  constructor(env: Env, source: CarrierSource, grants: CarriedGrants) {
    const { database, statementMs, reloads } = grants;
    this.needs = { database, statementMs };
    const failed = reloads === true ? new FailedStarts(env.clock) : undefined;
    this.#failedStarts = failed;
    this.reload = failed && ((address) => failed.forget(address));
    this.#env = env;
    this.#source = source;
    this.#grants = grants;
  }

  async open(request: InstanceOpen): Promise<ActorInstance> {
    const { record } = request;
    this.#failedStarts?.check(record);
    try {
      const instance = await this.#start(request);
      this.#failedStarts?.forget(record);
      return instance;
    } catch (cause) {
      this.#failedStarts?.failed(record, cause);
      throw cause;
    }
  }

  close(): Promise<void> {
    return this.#source.close();
  }

  async #start(request: InstanceOpen): Promise<ActorInstance> {
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
