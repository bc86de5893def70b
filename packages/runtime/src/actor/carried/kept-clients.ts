/** What is stored of the clients that stay while their actor sleeps, where that is the runtime's: connections and raw sockets. */
import type { Write } from "@troupe/protocol/actor/v1";
import { ConnectionRows, type HasRow } from "../local/connection-rows.ts";
import type { CarriedActivation } from "./activation.ts";
import { keepsClients, splitWrite } from "./staying.ts";

/** One of them. */
interface KeptClient extends HasRow {
  readonly id: string;
  /** The code's own: a value. */
  state: unknown;
}

/** Those of one activation. */
export class KeptClients {
  readonly rows = new ConnectionRows();
  readonly #activation: CarriedActivation;
  readonly #byId = new Map<string, KeptClient>();

  constructor(activation: CarriedActivation) {
    this.#activation = activation;
  }

  /** False: the code stores what must be known of them itself, or leaves none. */
  get here(): boolean {
    return keepsClients(this.#activation.declaration);
  }

  has({ id }: { readonly id: string }): boolean {
    return this.#byId.has(id);
  }

  /** One has a row, or is to have one. */
  keep(client: KeptClient): void {
    this.#byId.set(client.id, client);
  }

  /** What is stored of one has changed. */
  changed(client: KeptClient): void {
    this.rows.change(client.id, client);
    this.#activation.gate.mark();
  }

  /** Nothing is stored of it any more. */
  gone(id: string): void {
    this.#byId.delete(id);
    this.rows.change(id, undefined);
    this.#activation.gate.mark();
  }

  /** Takes what the code has written of their states, and gives the rest. Throws `value.*`. */
  wrote(write: Write): Write {
    if (!this.here) return write;
    const { states, rest } = splitWrite(write, this.#activation.encoding);
    for (const [id, state] of states) {
      const client = this.#byId.get(id);
      if (client === undefined) continue;
      client.state = state;
      this.changed(client);
    }
    return rest;
  }
}
