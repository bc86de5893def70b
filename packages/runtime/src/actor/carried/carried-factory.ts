/**
 * Makes activations of one carried actor: opens its carrier when the first is needed, and again when it was lost.
 */
import type { Env } from "@troupe/base";
import type { ActorCarrier, OpenCarrier } from "../../ports/carried.ts";
import type { ActorInstance, InstanceFactory, InstanceOpen } from "../../ports/instance.ts";
import { type ActorDescriptor, describeCarried } from "../behaviour.ts";
import { CarriedInstance } from "./carried-instance.ts";

interface Opened {
  readonly carrier: ActorCarrier;
  readonly descriptor: ActorDescriptor;
}

/** The factory of one registered name. */
export class CarriedFactory implements InstanceFactory {
  readonly #env: Env;
  readonly #name: string;
  readonly #openCarrier: OpenCarrier;
  #opened: Opened | undefined;
  /** One at a time; a failed one isn't kept. */
  #opening: Promise<Opened> | undefined;

  constructor(options: { env: Env; name: string; open: OpenCarrier }) {
    this.#env = options.env;
    this.#name = options.name;
    this.#openCarrier = options.open;
  }

  async open(request: InstanceOpen): Promise<ActorInstance> {
    const instance = new CarriedInstance(this.#env, request, await this.#carrier());
    await instance.start();
    return instance;
  }

  async close(): Promise<void> {
    const opened = this.#opened ?? (await this.#opening?.catch(() => undefined));
    await opened?.carrier.close();
  }

  #carrier(): Opened | Promise<Opened> {
    if (this.#opened?.carrier.open === true) return this.#opened;
    this.#opening ??= this.#openOne().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  async #openOne(): Promise<Opened> {
    const carrier = await this.#openCarrier({ env: this.#env, name: this.#name });
    this.#opened = { carrier, descriptor: describeCarried(carrier.declaration) };
    return this.#opened;
  }
}
