/**
 * The usual source of carriers: one for all activations.
 */
import type { ActorCarrier, CarrierSource } from "../../ports/carried.ts";

/** One carrier at a time: opened when the first activation needs it, and again when it was lost. */
export class OpenedCarrier implements CarrierSource {
  readonly #open: () => Promise<ActorCarrier>;
  #carrier: ActorCarrier | undefined;
  /** One at a time; a failed one isn't kept. */
  #opening: Promise<ActorCarrier> | undefined;

  constructor(open: () => Promise<ActorCarrier>) {
    this.#open = open;
  }

  carrier(): ActorCarrier | Promise<ActorCarrier> {
    if (this.#carrier?.open === true) return this.#carrier;
    this.#opening ??= this.#openOne().finally(() => {
      this.#opening = undefined;
    });
    return this.#opening;
  }

  known(): ActorCarrier | Promise<ActorCarrier> {
    return this.carrier();
  }

  async close(): Promise<void> {
    const carrier = this.#carrier ?? (await this.#opening?.catch(() => undefined));
    await carrier?.close();
  }

  async #openOne(): Promise<ActorCarrier> {
    this.#carrier = await this.#open();
    return this.#carrier;
  }
}
