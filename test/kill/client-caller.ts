/** Calls actions with the real client: one that lives through the kills and reconnects by itself. */
import type { TroupeError } from "troupe/client";
import { type Client, createClient } from "troupe/client";
import type { KeyState, Outcome } from "../power-loss/ledger.ts";
import { type Caller, outcomeOf } from "../power-loss/load.ts";
import type { registry } from "../power-loss/server.ts";

type Registry = typeof registry;
type Connection = ReturnType<ReturnType<Client<Registry>["counter"]["getOrCreate"]>["connect"]>;

export class ClientCaller implements Caller {
  readonly #client: Client<Registry>;
  readonly #connections = new Map<string, Connection>();
  readonly #connects: (lane: string) => boolean;

  /** `connects` says which lanes call over a connection; the others make stateless calls. */
  constructor(endpoint: string, connects: (lane: string) => boolean) {
    this.#client = createClient<Registry>({
      endpoint,
      reconnect: { baseMs: 10, maxMs: 50 },
      retry: { baseMs: 10, maxMs: 50, deadlineMs: 30_000 },
    });
    this.#connects = connects;
  }

  async add(key: string, lane: string, id: number): Promise<Outcome> {
    try {
      const target = this.#connects(lane) ? this.#connection(key) : this.#client.counter.getOrCreate([key]);
      return { kind: "acknowledged", count: await target.add(lane, id) };
    } catch (error) {
      return outcomeOf(error as TroupeError);
    }
  }

  async read(key: string): Promise<KeyState> {
    return this.#client.counter.getOrCreate([key]).read();
  }

  close(): void {
    void this.#client.dispose();
  }

  #connection(key: string): Connection {
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const connection = this.#client.counter.getOrCreate([key]).connect();
    this.#connections.set(key, connection);
    return connection;
  }
}
