import { runtimeSocketErrors } from "../../../runtime-socket/errors.ts";
import type { RawDatabase } from "../../types/database.ts";
import { Lease } from "./lease.ts";

/** The open transactions of one connection. Their numbers mean nothing on any other. */
export class Leases {
  readonly #open = new Map<number, Lease>();
  #last = 0;

  /** True when the connection has none open. */
  get none(): boolean {
    return this.#open.size === 0;
  }

  /** A new one, when it is its turn: its number. Rejects with `sql.*`. */
  async begin(database: RawDatabase, timeoutMs: number | undefined): Promise<number> {
    this.#last += 1;
    const number = this.#last;
    const lease = new Lease(database, timeoutMs);
    this.#open.set(number, lease);
    try {
      await lease.open();
    } catch (cause) {
      this.#open.delete(number);
      throw cause;
    }
    return number;
  }

  /** Throws `runtime_socket.unknown_lease`. */
  get(number: unknown): Lease {
    const lease = this.#open.get(Number(number));
    if (lease === undefined) throw runtimeSocketErrors.unknownLease();
    return lease;
  }

  /** One that ends now. Throws `runtime_socket.unknown_lease`. */
  take(number: unknown): Lease {
    const lease = this.get(number);
    this.#open.delete(Number(number));
    return lease;
  }

  /** Rolls all of them back: also those that wait for their turn. */
  end(): void {
    for (const lease of this.#open.values()) void lease.rollback();
    this.#open.clear();
  }
}
