/** A connection as the actor's code sees it: `c.conn`, and each of `c.conns`. */
import type { Conn } from "../types/context.ts";

/** What stands behind it. */
export interface ConnCore {
  readonly id: string;
  readonly params: unknown;
  state: unknown;
  readonly hibernatable: boolean;
  readonly stateless: boolean;
  send(name: string, args: readonly unknown[], gated: boolean): void;
  kick(text: string): Promise<void>;
}

/** One client, without what the runtime does to its connection. */
export class LocalConn implements Conn {
  readonly #core: ConnCore;

  constructor(core: ConnCore) {
    this.#core = core;
  }

  get id(): string {
    return this.#core.id;
  }

  get params(): unknown {
    return this.#core.params;
  }

  get state(): unknown {
    return this.#core.state;
  }

  set state(value: unknown) {
    this.#core.state = value;
  }

  get isStateless(): boolean {
    return this.#core.stateless;
  }

  get isHibernatable(): boolean {
    return this.#core.hibernatable;
  }

  send(name: string, ...args: readonly unknown[]): void {
    this.#core.send(name, args, true);
  }

  sendUnconfirmed(name: string, ...args: readonly unknown[]): void {
    this.#core.send(name, args, false);
  }

  disconnect(reason = "disconnected"): Promise<void> {
    return this.#core.kick(reason);
  }
}
