/** MemoryDirectory: a `Directory` that lasts as long as its object. What it says is durable at once. */
import { assert, type Env } from "@troupe/base";
import { actorErrors, hostingErrors } from "../../errors.ts";
import { addressText } from "../../storage/actor-key.ts";
import { Claims } from "../../storage/claims.ts";
import type {
  ActorAddress,
  ActorRecord,
  Claim,
  Created,
  Directory,
  Found,
  Generation,
  ListPage,
  ListQuery,
} from "../directory.ts";

/** What the directory is made of. */
export interface MemoryDirectoryOptions {
  readonly env: Pick<Env, "clock" | "ids">;
  /** Drops what storage holds of a destroyed actor. */
  readonly forget?: (id: string) => Promise<void>;
}

interface Entry {
  readonly record: ActorRecord;
  readonly number: number;
}

/** A `Directory` over a disk in memory. */
export class MemoryDirectory implements Directory {
  readonly #env: Pick<Env, "clock" | "ids">;
  readonly #forget: ((id: string) => Promise<void>) | undefined;
  readonly #byAddress = new Map<string, Entry>();
  /** In the order of creation. */
  readonly #byId = new Map<string, Entry>();
  #lastNumber = 0;
  #lastGeneration = 0;
  readonly #claims = new Claims(() => {
    this.#lastGeneration += 1;
    return this.#lastGeneration;
  });

  constructor(options: MemoryDirectoryOptions) {
    this.#env = options.env;
    this.#forget = options.forget;
  }

  async find(address: ActorAddress): Promise<ActorRecord | undefined> {
    return this.#byAddress.get(addressText(address))?.record;
  }

  async get(id: string): Promise<ActorRecord | undefined> {
    return this.#byId.get(id)?.record;
  }

  async create(address: ActorAddress): Promise<Created> {
    const text = addressText(address);
    if (this.#byAddress.has(text)) throw hostingErrors.duplicateKey(address.name, address.key);
    return this.#create(address, text);
  }

  async getOrCreate(address: ActorAddress): Promise<Found | Created> {
    const text = addressText(address);
    const found = this.#byAddress.get(text);
    return found === undefined ? this.#create(address, text) : { record: found.record, isNew: false };
  }

  async claim(id: string): Promise<Claim> {
    if (!this.#byId.has(id)) throw actorErrors.notFound(id);
    return this.#claims.claim(id);
  }

  async renew(id: string, generation: Generation): Promise<Claim> {
    return this.#claims.renew(id, generation);
  }

  async release(id: string, generation: Generation): Promise<void> {
    this.#claims.release(id, generation);
  }

  async destroy(id: string, generation: Generation): Promise<void> {
    const entry = this.#byId.get(id);
    if (entry === undefined) return;
    this.#claims.check(id, generation);
    this.#claims.release(id, generation);
    this.#byId.delete(id);
    this.#byAddress.delete(addressText(entry.record));
    await this.#forget?.(id);
  }

  async list(query: ListQuery): Promise<ListPage> {
    assert(query.limit >= 1 && query.limit <= 1_000, "a page has from 1 to 1,000 actors");
    const after = query.after === undefined ? 0 : Number(query.after);
    const found: Entry[] = [];
    for (const entry of this.#byId.values()) {
      if (entry.number <= after || entry.record.namespace !== query.namespace) continue;
      if (query.name !== undefined && entry.record.name !== query.name) continue;
      found.push(entry);
      if (found.length > query.limit) break;
    }
    const page = found.slice(0, query.limit);
    const actors = page.map((entry) => entry.record);
    const last = page.at(-1);
    return found.length > query.limit && last !== undefined
      ? { actors, next: String(last.number) }
      : { actors };
  }

  #create(address: ActorAddress, text: string): Created {
    this.#lastNumber += 1;
    const entry: Entry = {
      number: this.#lastNumber,
      record: {
        id: this.#env.ids.random(),
        namespace: address.namespace,
        name: address.name,
        key: [...address.key],
        createdAt: this.#env.clock.now(),
      },
    };
    this.#byAddress.set(text, entry);
    this.#byId.set(entry.record.id, entry);
    return { record: entry.record, isNew: true };
  }
}
