/**
 * MemoryDisk: what outlives a process, for tests and for durability mode `memory`.
 *
 * It keeps what was written and, until the next sync, how to undo it, group by group. `crash()` takes unsynced groups
 * back (all of them, or all but the first few: a real disk may have kept a prefix) and makes every file handle from
 * before dead: it writes nothing and calls nobody back, as a killed process. A restart is a new `MemoryStorage` on the
 * same disk. Faults come in by two functions that a test may set.
 */
import type { Env } from "@troupe/base";
import { storageErrors } from "../../errors.ts";
import type { CommitFile, Write } from "../../storage/commit-file.ts";
import type { RowMap } from "../../storage/row-map.ts";
import type { Alarm, Row } from "../storage.ts";

interface ActorData {
  readonly rows: Map<string, Uint8Array>;
}

type Undo = () => void;

const NO_ROWS: RowMap = new Map();

/** What may go wrong with the disk. */
export interface MemoryDiskFaults {
  /** Called before each transaction; what it throws fails the transaction. */
  beforeWrite?: () => void;
  /** Decides when and how a sync ends. Default: well, in the next macrotask. */
  sync?: (finish: (error?: unknown) => void) => void;
}

/** A disk in memory: it outlives the stores that are opened over it. */
export class MemoryDisk {
  readonly faults: MemoryDiskFaults = {};
  readonly #actors = new Map<string, ActorData>();
  readonly #alarms = new Map<string, number>();
  /** One list per group written since the last sync, oldest group first. */
  #unsynced: Undo[][] = [];
  #incarnation = 0;

  /** A file handle for one process: dead after the next crash. */
  connect(env: Pick<Env, "afterTurn">): CommitFile<string> {
    const incarnation = this.#incarnation;
    const alive = () => incarnation === this.#incarnation;
    return {
      write: (writes) => {
        if (!alive()) throw storageErrors.closed();
        this.faults.beforeWrite?.();
        this.#write(writes);
      },
      sync: (done) => {
        const finish = (error?: unknown) => {
          if (!alive()) return;
          if (error === undefined) this.#unsynced = [];
          done(error);
        };
        if (this.faults.sync !== undefined) this.faults.sync(finish);
        else env.afterTurn(finish);
      },
    };
  }

  /** The process dies and, with `keepGroups` 0, the power with it: only that many unsynced groups survive. */
  crash(options: { readonly keepGroups?: number } = {}): void {
    this.#incarnation += 1;
    const lost = this.#unsynced.slice(options.keepGroups ?? 0);
    this.#unsynced = [];
    for (const group of lost.reverse()) {
      for (const undo of group.reverse()) undo();
    }
  }

  /** An actor's rows, all of them, to look at. */
  rows(actorId: string): readonly Row[] {
    return Array.from(this.rowMap(actorId), ([key, value]) => ({ key, value: value.slice() }));
  }

  rowMap(actorId: string): RowMap {
    return this.#actors.get(actorId)?.rows ?? NO_ROWS;
  }

  /** All alarms, earliest first. */
  alarms(): Alarm[] {
    const alarms = Array.from(this.#alarms, ([actorId, at]) => ({ actorId, at }));
    return alarms.sort((a, b) => a.at - b.at || (a.actorId < b.actorId ? -1 : 1));
  }

  /** An alarm of an actor whose rows are elsewhere. */
  setAlarm(actorId: string, at: number | null): void {
    put(this.#alarms, actorId, at ?? undefined);
  }

  /** The actor was destroyed: nothing of it stays, also after a crash. */
  forget(actorId: string): void {
    this.#actors.delete(actorId);
    this.#alarms.delete(actorId);
  }

  #write(writes: readonly Write<string>[]): void {
    const undo: Undo[] = [];
    this.#unsynced.push(undo);
    for (const { target: actorId, batch } of writes) {
      const actor = this.#actor(actorId);
      for (const { key, value } of batch.rows) {
        const before = actor.rows.get(key);
        undo.push(() => put(actor.rows, key, before));
        put(actor.rows, key, value?.slice());
      }
      if (batch.alarm !== undefined) {
        const before = this.#alarms.get(actorId);
        undo.push(() => put(this.#alarms, actorId, before));
        put(this.#alarms, actorId, batch.alarm ?? undefined);
      }
    }
  }

  #actor(actorId: string): ActorData {
    const known = this.#actors.get(actorId);
    if (known !== undefined) return known;
    const actor: ActorData = { rows: new Map() };
    this.#actors.set(actorId, actor);
    return actor;
  }
}

function put<Value>(map: Map<string, Value>, key: string, value: Value | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
