/**
 * Shard: one file with its committer, its readers, and what is on its way to it.
 *
 * A create or a destroy is in `unsettled` until it is durable. Whoever asks for that actor meanwhile waits: an answer
 * must not say what a power cut could take back. Actors that sleep have nothing here.
 */
import type { Env } from "@troupe/base";
import { databaseErrors } from "../../sql/errors.ts";
import type { CommitFigures } from "../../storage/commit-figures.ts";
import { CommitSlot } from "../../storage/commit-slot.ts";
import { GroupCommitter } from "../../storage/group-committer.ts";
import { OpenStores, type RowReader } from "../../storage/open-stores.ts";
import type { OwnFileLook, OwnStores } from "../../storage/own-stores.ts";
import { DataFile } from "./data-file.ts";
import { openShardDatabase } from "./layout.ts";
import { ShardFile, type ShardFileOptions } from "./shard-file.ts";
import { type OperationSubject, ShardOperation } from "./shard-operation.ts";
import { type DestroyedActor, ShardReader } from "./shard-reader.ts";
import type { ShardActor, ShardTarget } from "./shard-target.ts";

/** What a shard is opened with. */
export interface ShardOptions extends Omit<ShardFileOptions, "database" | "env" | "file"> {
  readonly path: string;
  readonly env: Pick<Env, "afterTurn" | "timers" | "log">;
  /** `known`: the file must be there and hold the schema. */
  readonly age: "new" | "known";
  /** Actors with a database: here are their addresses and alarms, and nothing else of them. */
  readonly own: OwnStores;
  readonly figures: CommitFigures;
}

/** One file of actors. */
export class Shard {
  readonly path: string;
  readonly reader: ShardReader;
  readonly stores: OpenStores<ShardTarget>;
  readonly unsettledByAddress = new Map<string, ShardOperation>();
  readonly unsettledById = new Map<string, ShardOperation>();
  readonly #env: ShardOptions["env"];
  readonly #file: ShardFile;
  readonly #committer: GroupCommitter<ShardTarget>;
  readonly #own: OwnStores;
  #lastNumber: number;
  #sweeping: Promise<void> = Promise.resolve();
  #closing = false;

  /** Throws `storage.corrupt` and its like. */
  constructor(options: ShardOptions) {
    const database = openShardDatabase(options.path, options.age);
    const file = new DataFile(options.path, options.health);
    let destroyed: readonly DestroyedActor[];
    this.path = options.path;
    this.#env = options.env;
    try {
      this.reader = new ShardReader(file, database);
      this.#lastNumber = this.reader.lastNumber();
      destroyed = this.reader.destroyed();
      this.#file = new ShardFile({ ...options, database, file });
    } catch (error) {
      database.close();
      throw error;
    }
    const { env, figures, onFatal } = options;
    this.#committer = new GroupCommitter({ env, figures, file: this.#file, onBroken: onFatal });
    this.#own = options.own;
    this.stores = new OpenStores(this.#committer, rowsOf(this.reader, options.own));
    for (const actor of destroyed) this.sweep(actor);
  }

  nextNumber(): number {
    this.#lastNumber += 1;
    return this.#lastNumber;
  }

  /** Writes something of the directory's own. Until it is durable, whoever asks for `subject` waits. */
  operate(target: ShardTarget, subject?: OperationSubject): ShardOperation {
    const operation = new ShardOperation(target, subject, this.#ended);
    this.#committer.commit(new CommitSlot(target, "operation"), operation);
    if (subject !== undefined) {
      this.unsettledByAddress.set(subject.address, operation);
      this.unsettledById.set(subject.id, operation);
    }
    return operation;
  }

  /** From now on nobody commits for this actor. */
  fence(id: string): void {
    this.stores.fence(id);
    this.#own.fence(id);
  }

  /** Puts an alarm into the index; settles when it is durable. */
  setAlarm(actor: ShardActor, at: number | null): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#committer.commit(new CommitSlot({ kind: "rows", actor }), {
        take: () => ({ rows: [], alarm: at }),
        settled: (outcome) => (outcome.durable ? resolve() : reject(outcome.error)),
      });
    });
  }

  /** Deletes what a destroyed actor left: its file, and its rows, a few a round; one actor at a time. */
  sweep(actor: DestroyedActor): void {
    this.#sweeping = this.#sweeping
      .then(() => this.#own.forget(actor.id))
      .then(() => this.#sweepAll(actor.number))
      .catch((error: unknown) => {
        this.#env.log.warn("rows of a destroyed actor stay until the next start", { path: this.path, error });
      });
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#sweeping;
    await this.#committer.drain();
    this.stores.refuseAll();
    await this.#file.close();
  }

  readonly #ended = ({ subject }: ShardOperation): void => {
    if (subject === undefined) return;
    this.unsettledByAddress.delete(subject.address);
    this.unsettledById.delete(subject.id);
  };

  async #sweepAll(actorNumber: number): Promise<void> {
    while (!this.#closing) {
      const target = { kind: "sweep" as const, actorNumber, finished: false };
      await this.operate(target).durable;
      if (target.finished) return;
    }
  }
}

function rowsOf(reader: ShardReader, own: OwnStores): RowReader<ShardTarget> {
  return {
    load: (target) => {
      if (target.kind !== "rows") return [];
      const { number, id } = target.actor;
      const rows = reader.rows(number);
      // An actor without a row was cut off, and is given back: not one whose rows are in a file of its own.
      if (rows.length === 0 && isElsewhere(own.look(id), () => reader.hasOwnFile(number)))
        throw databaseErrors.databaseLost(id);
      return rows;
    },
    read: (target, keys) => (target.kind === "rows" ? reader.values(target.actor.number, keys) : []),
    list: (target, range) => (target.kind === "rows" ? reader.range(target.actor.number, range) : []),
  };
}

/** A file that is gone is as little taken for none as one that is there. */
function isElsewhere(file: OwnFileLook, isNamed: () => boolean): boolean {
  return file === "used" || (file === "none" && isNamed());
}
