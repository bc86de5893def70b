/**
 * SimStore: directory and storage of one process over the simulated disk.
 *
 * Everything that decides anything is production code: `GroupCommitter`, `OpenStores`, `CommitSlot`, `Claims`, `OwnFiles`. What is
 * written here is the thin part that `SqliteDirectory` and `SqliteStorage` do with SQL, kept in step with them: a create
 * or destroy is an operation of the committer, and whoever asks for that actor meanwhile waits until it is settled.
 */
import { actorErrors, hostingErrors, storageErrors } from "../../packages/runtime/src/errors.ts";
import { OwnFiles } from "../../packages/runtime/src/node/sqlite/own/own-files.ts";
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
} from "../../packages/runtime/src/ports/directory.ts";
import type {
  ActorStorage,
  ActorStore,
  Alarm,
  BatchSource,
  StoreNeeds,
} from "../../packages/runtime/src/ports/storage.ts";
import { addressText } from "../../packages/runtime/src/storage/actor-key.ts";
import { Claims } from "../../packages/runtime/src/storage/claims.ts";
import { CommitSlot, EMPTY_BATCH } from "../../packages/runtime/src/storage/commit-slot.ts";
import { GroupCommitter } from "../../packages/runtime/src/storage/group-committer.ts";
import { OpenStores } from "../../packages/runtime/src/storage/open-stores.ts";
import { rowMapReader } from "../../packages/runtime/src/storage/row-map.ts";
import type { SimProcess } from "../world/process.ts";
import type { SimDisk } from "./disk.ts";
import { type FileFlaws, type FileObserver, SimFile } from "./file.ts";
import { type OwnDiskFlaws, SimOwnDisk } from "./own-disk.ts";
import type { SimActor, SimTarget } from "./target.ts";

/** More activations than any process makes. */
const GENERATIONS_PER_EPOCH = 1_000_000;

/** A create or destroy that is not durable yet. */
interface Unsettled {
  /** Present while the actor is being created. */
  readonly created: SimActor | undefined;
  /** Never rejects. */
  readonly settled: Promise<void>;
}

/** What a store is made of. */
export interface SimStoreParts {
  readonly process: SimProcess;
  readonly disk: SimDisk;
  readonly flaws: (FileFlaws & OwnDiskFlaws) & {
    /** Starts to count generations anew at each start. */
    readonly repeatsGenerations?: boolean;
    /** Closes batches from a microtask. */
    readonly microtaskBatches?: boolean;
  };
  readonly observer: FileObserver;
  readonly onFatal: (cause: unknown) => void;
}

/** Both ports of one process. */
export class SimStore implements Directory, ActorStorage {
  readonly #parts: SimStoreParts;
  readonly #disk: SimDisk;
  readonly #committer: GroupCommitter<SimTarget>;
  readonly #stores: OpenStores<SimTarget>;
  readonly #claims: Claims;
  readonly #ownDisk: SimOwnDisk;
  readonly #own: OwnFiles;
  readonly #unsettledByAddress = new Map<string, Unsettled>();
  readonly #unsettledById = new Map<string, Unsettled>();
  #closed = false;

  constructor(parts: SimStoreParts) {
    this.#parts = parts;
    this.#disk = parts.disk;
    const epoch = parts.disk.open();
    const file = new SimFile(parts.process, parts.disk, parts.flaws, parts.observer);
    const env = parts.flaws.microtaskBatches === true ? { afterTurn: queueMicrotask } : parts.process.env;
    this.#committer = new GroupCommitter({ env, file, onBroken: parts.onFatal });
    this.#stores = new OpenStores(
      this.#committer,
      rowMapReader(({ actor }) => this.#disk.image.rows(actor.id)),
    );
    this.#ownDisk = new SimOwnDisk(parts.process, parts.disk, parts.flaws);
    this.#own = new OwnFiles({ env, disk: this.#ownDisk, onFatal: parts.onFatal });
    let generation = parts.flaws.repeatsGenerations === true ? 0 : epoch * GENERATIONS_PER_EPOCH;
    this.#claims = new Claims(() => {
      generation += 1;
      return generation;
    });
  }

  async find(address: ActorAddress): Promise<ActorRecord | undefined> {
    const text = addressText(address);
    await settledAt(this.#unsettledByAddress, text);
    return this.#disk.image.byAddress(text);
  }

  async get(id: string): Promise<ActorRecord | undefined> {
    await settledAt(this.#unsettledById, id);
    return this.#disk.image.actors.get(id)?.record;
  }

  async create(address: ActorAddress, needs?: CreateNeeds): Promise<Created> {
    const located = await this.getOrCreate(address, needs);
    if (!located.isNew) throw hostingErrors.duplicateKey(address.name, address.key);
    return located;
  }

  async getOrCreate(address: ActorAddress, needs: CreateNeeds = {}): Promise<Found | Created> {
    const text = addressText(address);
    await settledAt(this.#unsettledByAddress, text);
    const found = this.#disk.image.byAddress(text);
    if (found !== undefined) return { record: found, isNew: false };
    const { env } = this.#parts.process;
    const id = env.ids.ordered().replaceAll("-", "");
    const record: ActorRecord = { ...address, key: [...address.key], id, createdAt: env.clock.now() };
    const actor: SimActor = { id, failed: false };
    if (needs.database === true) this.#disk.addSpare(id);
    const durable = this.#operate({ kind: "create", actor, record }).catch((error: unknown) => {
      actor.failed = true;
      throw error;
    });
    this.#track(text, actor, durable, actor);
    return { record, isNew: true, durable };
  }

  async claim(id: string): Promise<Claim> {
    const known = this.#unsettledById.get(id);
    const exists = known === undefined ? this.#disk.image.actors.has(id) : known.created !== undefined;
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
    await settledAt(this.#unsettledById, id);
    const record = this.#disk.image.actors.get(id)?.record;
    if (record === undefined) return;
    this.#claims.check(id, generation);
    this.#claims.release(id, generation);
    this.#stores.fence(id);
    this.#own.fence(id);
    const actor: SimActor = { id, failed: false };
    const operation = this.#operate({ kind: "destroy", actor });
    this.#track(addressText(record), actor, operation, undefined);
    await operation;
    // Behind everything else, as the production's sweep.
    this.#own.forget(id).catch(() => {});
  }

  async list(): Promise<ListPage> {
    return { actors: Array.from(this.#disk.image.actors.values(), ({ record }) => record) };
  }

  async open(record: ActorRecord, generation: Generation, needs: StoreNeeds = {}): Promise<ActorStore> {
    if (this.#closed) throw storageErrors.closed();
    const { id } = record;
    const unsettled = this.#unsettledById.get(id);
    const known = this.#disk.image.actors.has(id) ? { id, failed: false } : undefined;
    const actor = unsettled === undefined ? known : unsettled.created;
    if (actor === undefined) throw actorErrors.notFound(id);
    if (needs.database === true) return await this.#own.open(id, generation, needs);
    return this.#stores.open({
      actorId: id,
      generation,
      target: { kind: "rows", actor, generation },
    });
  }

  async nextAlarm(): Promise<Alarm | undefined> {
    return this.#disk.image.alarms(Infinity, 1)[0];
  }

  async dueAlarms(until: number, limit: number): Promise<readonly Alarm[]> {
    return this.#disk.image.alarms(until, limit);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#committer.drain();
    this.#stores.refuseAll();
    await this.#own.close();
    await this.#ownDisk.close();
  }

  #operate(target: SimTarget): Promise<void> {
    return new Promise((resolve, reject) => {
      const source: BatchSource = {
        take: () => EMPTY_BATCH,
        settled: (outcome) => (outcome.durable ? resolve() : reject(outcome.error)),
      };
      this.#committer.commit(new CommitSlot(target, "operation"), source);
    });
  }

  #track(address: string, { id }: SimActor, operation: Promise<void>, created: SimActor | undefined): void {
    const settle = (): void => {
      this.#unsettledByAddress.delete(address);
      this.#unsettledById.delete(id);
    };
    const unsettled: Unsettled = { created, settled: operation.then(settle, settle) };
    this.#unsettledByAddress.set(address, unsettled);
    this.#unsettledById.set(id, unsettled);
  }
}

async function settledAt(unsettled: ReadonlyMap<string, Unsettled>, key: string): Promise<void> {
  for (let found = unsettled.get(key); found !== undefined; found = unsettled.get(key)) await found.settled;
}
