/**
 * SqlPace: how much SQL of one activation is on its way to the engine at once.
 *
 * An engine lets some statements of an actor wait, and refuses more (`sqlite.busy`): it has many hosts. So what is more waits
 * here, in its order, with the actor's own host, and goes when answers come. That is bounded as well, and then whoever asks is
 * refused at once: nothing of it was sent.
 *
 *   run ──there is room, and nobody waits──▶ under way ──answered──▶ done, and those that wait have the room
 *    └── else ──▶ waiting ──room──▶ under way
 *
 * What begins or ends a transaction keeps its place between statements, and takes no room. Nothing waits for what is behind
 * it: the engine takes one actor's SQL in its order too, and statements that a transaction keeps waiting are never sent.
 */
import { limits } from "@troupe/protocol";
import { remoteSqlErrors } from "../sql/remote-errors.ts";

/** Statements that go together. */
export interface SqlLoad {
  readonly count: number;
  readonly bytes: number;
}

/** What waits, and its turn. */
interface Held {
  readonly load: SqlLoad;
  readonly begin: () => void;
}

/** The pace of one activation. */
export class SqlPace {
  readonly #held: Held[] = [];
  /** Of what waits, and of what is under way. */
  #waiting: SqlLoad = NOTHING;
  #underWay: SqlLoad = NOTHING;

  /** Throws `sqlite.busy` when no more may wait than what does already, and `more`. */
  check(more: SqlLoad = NOTHING): void {
    const { count, bytes } = sum(this.#waiting, more);
    if (count >= limits.sqlHeld) throw remoteSqlErrors.busy(limits.sqlHeld);
    if (bytes >= limits.sqlHeldBytes) throw remoteSqlErrors.busy(limits.sqlHeldBytes, "bytes");
  }

  /** Sends it when there is room; what `send` gives. */
  run<T>(send: () => Promise<T>, load: SqlLoad = NOTHING): Promise<T> {
    if (this.#held.length === 0 && this.#fits(load)) return this.#send(send, load);
    const gave = Promise.withResolvers<T>();
    this.#waiting = sum(this.#waiting, load);
    this.#held.push({ load, begin: () => gave.resolve(this.#send(send, load)) });
    return gave.promise;
  }

  async #send<T>(send: () => Promise<T>, load: SqlLoad): Promise<T> {
    this.#underWay = sum(this.#underWay, load);
    try {
      return await send();
    } finally {
      this.#underWay = sum(this.#underWay, load, -1);
      this.#next();
    }
  }

  #next(): void {
    for (let first = this.#held[0]; first !== undefined && this.#fits(first.load); first = this.#held[0]) {
      // It is the first until it has gone: what is said with it comes behind it.
      first.begin();
      this.#held.shift();
      this.#waiting = sum(this.#waiting, first.load, -1);
    }
  }

  /** What is alone always does. */
  #fits(load: SqlLoad): boolean {
    const { count, bytes } = sum(this.#underWay, load);
    return this.#underWay.count === 0 || (count <= limits.sqlWaiting && bytes <= limits.sqlBatchBytes);
  }
}

const NOTHING: SqlLoad = { count: 0, bytes: 0 };

function sum(one: SqlLoad, other: SqlLoad, sign = 1): SqlLoad {
  return { count: one.count + sign * other.count, bytes: one.bytes + sign * other.bytes };
}
