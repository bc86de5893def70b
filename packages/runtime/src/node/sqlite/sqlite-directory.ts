/**
 * SqliteDirectory: the directory of a host that owns its data directory alone.
 *
 * Nobody else can claim anything, so claims are numbers in memory and never expire. A create reserves its address at
 * once and puts the actor's row into the shard's next round: when the actor's first state is ready in the same turn,
 * both are one transaction and one sync.
 */
import { assert, type Env } from "@troupe/base";
import { actorErrors, hostingErrors } from "../../errors.ts";
import type {
  ActorAddress,
  ActorRecord,
  Claim,
  Created,
  CreateNeeds,
  Directory,
  Found,
  Generation,
  ListPage,
  ListQuery,
} from "../../ports/directory.ts";
import { addressText, encodeKey } from "../../storage/actor-key.ts";
import { Claims } from "../../storage/claims.ts";
import type { SpareFiles } from "./own/spare-files.ts";
import type { ShardOperation } from "./shard-operation.ts";
import type { ListPosition } from "./shard-reader.ts";
import type { ShardActor } from "./shard-target.ts";
import { mintDigits, mintId, type Shards } from "./shards.ts";

/** What the directory is made of. */
export interface SqliteDirectoryOptions {
  readonly env: Pick<Env, "clock" | "ids">;
  readonly shards: Shards;
  /** What the files of actors with a database are made of. */
  readonly spares: Pick<SpareFiles, "take" | "giveBack">;
  readonly nextGeneration: () => Generation;
}

/** The `Directory` of one data directory. */
export class SqliteDirectory implements Directory {
  readonly #env: Pick<Env, "clock" | "ids">;
  readonly #shards: Shards;
  readonly #spares: SqliteDirectoryOptions["spares"];
  readonly #claims: Claims;

  constructor(options: SqliteDirectoryOptions) {
    this.#env = options.env;
    this.#shards = options.shards;
    this.#spares = options.spares;
    this.#claims = new Claims(options.nextGeneration);
  }

  async find(address: ActorAddress): Promise<ActorRecord | undefined> {
    const keyText = encodeKey(address.key);
    const text = addressText(address, keyText);
    const shard = this.#shards.at(this.#shards.place(text));
    if (shard.unsettledByAddress.has(text)) await settledAt(shard.unsettledByAddress, text);
    return shard.reader.byAddress(address, keyText);
  }

  async get(id: string): Promise<ActorRecord | undefined> {
    const shard = this.#shards.ofId(id);
    if (shard === undefined) return undefined;
    if (shard.unsettledById.has(id)) await settledAt(shard.unsettledById, id);
    return shard.reader.byId(id);
  }

  async create(address: ActorAddress, needs?: CreateNeeds): Promise<Created> {
    const located = await this.getOrCreate(address, needs);
    if (!located.isNew) throw hostingErrors.duplicateKey(address.name, address.key);
    return located;
  }

  async getOrCreate(address: ActorAddress, needs: CreateNeeds = {}): Promise<Found | Created> {
    const keyText = encodeKey(address.key);
    const text = addressText(address, keyText);
    const place = this.#shards.place(text);
    const shard = this.#shards.at(place);
    let spare: string | undefined;
    for (;;) {
      while (shard.unsettledByAddress.has(text)) await settledAt(shard.unsettledByAddress, text);
      const found = shard.reader.byAddress(address, keyText);
      if (found !== undefined) {
        if (spare !== undefined) this.#spares.giveBack(spare);
        return { record: found, isNew: false };
      }
      if (needs.database !== true || spare !== undefined) break;
      // Somebody else may make the actor meanwhile.
      spare = await this.#spares.take();
    }
    const record: ActorRecord = {
      id: mintId(place, spare ?? mintDigits(this.#env.ids.ordered())),
      namespace: address.namespace,
      name: address.name,
      key: [...address.key],
      createdAt: this.#env.clock.now(),
    };
    const actor: ShardActor = { number: shard.nextNumber(), id: record.id, failure: undefined };
    const { durable } = shard.operate(
      { kind: "create", actor, record, keyText, ownFile: spare !== undefined },
      { address: text, id: record.id },
    );
    return { record, isNew: true, durable };
  }

  async claim(id: string): Promise<Claim> {
    const shard = this.#shards.ofId(id);
    const known = shard?.unsettledById.get(id);
    const exists = known === undefined ? shard?.reader.number(id) !== undefined : known.created !== undefined;
    if (!exists) throw actorErrors.notFound(id);
    return this.#claims.claim(id);
  }

  async renew(id: string, generation: Generation): Promise<Claim> {
    return this.#claims.renew(id, generation);
  }

  async release(id: string, generation: Generation): Promise<void> {
    this.#claims.release(id, generation);
  }

  async destroy(id: string, generation: Generation): Promise<void> {
    const shard = this.#shards.ofId(id);
    if (shard === undefined) return;
    await settledAt(shard.unsettledById, id);
    const record = shard.reader.byId(id);
    const actorNumber = shard.reader.number(id);
    if (record === undefined || actorNumber === undefined) return;
    this.#claims.check(id, generation);
    this.#claims.release(id, generation);
    shard.fence(id);
    const target = { kind: "destroy" as const, actorNumber, at: this.#env.clock.now() };
    await shard.operate(target, { address: addressText(record), id }).durable;
    shard.sweep({ number: actorNumber, id });
  }

  async list(query: ListQuery): Promise<ListPage> {
    const { namespace, name, limit } = query;
    assert(limit >= 1 && limit <= 1_000, "a page has from 1 to 1,000 actors");
    let cursor = query.after === undefined ? undefined : parseCursor(query.after);
    const actors: ActorRecord[] = [];
    let next: string | undefined;
    for (const [place, shard] of this.#shards.usable()) {
      if (cursor !== undefined && place < cursor.place) continue;
      await Promise.all(Array.from(shard.unsettledById.values(), (unsettled) => unsettled.over()));
      const after: ListPosition | undefined = cursor?.place === place ? cursor.position : undefined;
      cursor = undefined;
      for (const { record, position } of shard.reader.page({ namespace, name, after, limit: limit + 1 })) {
        if (actors.length === limit) return next === undefined ? { actors } : { actors, next };
        actors.push(record);
        next = JSON.stringify([place, position.name, position.keyText]);
      }
    }
    return { actors };
  }
}

async function settledAt(unsettled: ReadonlyMap<string, ShardOperation>, key: string): Promise<void> {
  for (let found = unsettled.get(key); found !== undefined; found = unsettled.get(key)) await found.over();
}

interface Cursor {
  readonly place: number;
  readonly position: ListPosition;
}

/** A cursor that isn't one of ours starts from the beginning. */
function parseCursor(text: string): Cursor | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (!Array.isArray(value)) return undefined;
    const [place, name, keyText]: unknown[] = value;
    if (typeof place !== "number" || typeof name !== "string" || typeof keyText !== "string")
      return undefined;
    return { place, position: { name, keyText } };
  } catch {
    return undefined;
  }
}
