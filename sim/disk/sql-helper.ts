/**
 * SimHelper: a helper process, which runs the SQL of actors that aren't trusted, and dies whenever it likes.
 *
 * What it answers is what the production's helper answers, over the real SQLite; what is ours is the process around it:
 *
 *   asked ──dies──▶ gone                    nothing of it was done
 *     └─ done ──dies──▶ gone                done, and nobody is told: of a commit the log is written, and not synced
 *          └─ answered, in time or too late
 *
 * Whoever kills it is heard a moment later, and the helper goes on until then. It goes with its runtime's process.
 */

import { HelperAnswers } from "../../packages/runtime/src/node/sqlite/sql-process/helper-answers.ts";
import type {
  HelperAnswer,
  HelperQuestion,
} from "../../packages/runtime/src/node/sqlite/sql-process/helper-messages.ts";
import {
  type HelperChild,
  type HelperEar,
  HelperLost,
} from "../../packages/runtime/src/node/sqlite/sql-process/helper-process.ts";
import { ServedDatabase } from "../../packages/runtime/src/node/sqlite/sql-process/served-database.ts";
import type { Batch } from "../../packages/runtime/src/ports/storage.ts";
import type { FifoLane } from "../world/lane.ts";
import { SimProcess } from "../world/process.ts";
import type { Random } from "../world/random.ts";
import type { SimDisk } from "./disk.ts";
import { commitSimDatabase, openSimDatabase } from "./own-database.ts";
import { syncDelay } from "./sync.ts";

const START_MS = 30;
const LATENCY_MS = 0.1;
/** Past what one text of SQL has in these worlds, and past what any other question has. */
const LATE_MS = [500, 90_000];

/** Who has which file open. SQLite's lock goes with the process. */
export type FileLocks = Map<string, SimHelper>;

/** What a helper is made of. */
export interface SimHelperParts {
  /** The runtime's. */
  readonly server: SimProcess;
  readonly disk: SimDisk;
  readonly locks: FileLocks;
}

/** One helper. */
export class SimHelper implements HelperChild {
  readonly #parts: SimHelperParts;
  readonly #process: SimProcess;
  readonly #random: Random;
  readonly #ear: HelperEar;
  readonly #answers: HelperAnswers;
  readonly #questions: FifoLane;
  readonly #sayings: FifoLane;
  #file = "";

  constructor(ear: HelperEar, parts: SimHelperParts) {
    const { server, disk } = parts;
    this.#parts = parts;
    this.#ear = ear;
    this.#process = new SimProcess(`${server.name}.helper`, server.world);
    this.#random = this.#process.random;
    this.#questions = this.#process.lane("questions");
    this.#sayings = server.lane("sayings");
    this.#answers = new HelperAnswers(({ path }) => {
      this.#lock(path);
      try {
        return new SimServed({ process: this.#process, disk, id: path, unlock: () => this.#unlock() });
      } catch (error) {
        this.#unlock();
        throw error;
      }
    });
    server.onDeath(() => this.#process.kill());
    this.#process.later(this.#random.around(START_MS), () => this.#say(() => ear.said({ kind: "ready" })));
  }

  send(question: HelperQuestion): void {
    const { server } = this.#parts;
    if (!server.alive) return;
    this.#questions.add(server.world.now + this.#random.around(LATENCY_MS), () => this.#take(question));
  }

  kill(): void {
    const { world } = this.#process;
    world.later(this.#random.around(LATENCY_MS * 5), () => this.#die("SIGKILL"));
  }

  // The simulated runtime lives on without being held.
  hold(): void {}
  awaitEnd(): void {}
  letGo(): void {}

  #take(question: HelperQuestion): void {
    if (this.#mayDie("a helper was lost before it did what it was asked")) return;
    const answer = this.#answers.answer(question);
    if (this.#mayDie("a helper was lost behind what it was asked")) return;
    if (question.kind === "commit" && answer.error === undefined) this.#sync(answer);
    else this.#answer(answer);
  }

  #sync(answer: HelperAnswer): void {
    const { world } = this.#process;
    const fails = world.faults.strikes(world.options.failSync);
    this.#process.later(syncDelay({ process: this.#process, random: this.#random }), () => {
      if (fails) {
        world.counters.add("a sync failed");
        const error = { group: "storage", code: "disk_failed", message: "EIO: i/o error, fdatasync" };
        const unlabelled = { metadata: undefined, retryable: false, public: true, statusCode: 500 };
        return this.#answer({ ...answer, error: { ...error, ...unlabelled }, final: true });
      }
      this.#parts.disk.sync(this.#file);
      if (!this.#mayDie("a helper was lost behind what it was asked")) this.#answer(answer);
    });
  }

  /** Some answers are late: their process was held up, or the statement took so long. */
  #answer(answer: HelperAnswer): void {
    const { world } = this.#process;
    const late = world.faults.strikes(world.options.lateHelper);
    if (late) world.counters.add("a helper answered late");
    const delayMs = late ? this.#random.pick(LATE_MS) : 0;
    this.#process.later(delayMs, () => this.#say(() => this.#ear.said(answer)));
  }

  #say(saying: () => void): void {
    const { world } = this.#process;
    this.#sayings.add(world.now + this.#random.around(LATENCY_MS), saying);
  }

  #mayDie(
    where: "a helper was lost before it did what it was asked" | "a helper was lost behind what it was asked",
  ): boolean {
    const { world } = this.#process;
    if (!world.faults.strikes(world.options.loseHelper)) return false;
    world.counters.add(where);
    this.#die("SIGKILL");
    return true;
  }

  #die(signal: string): void {
    if (!this.#process.alive) return;
    this.#process.world.trace.say(this.#process.name, "dies", signal);
    this.#process.kill();
    this.#unlock();
    this.#say(() => this.#ear.ended(new HelperLost("ended", `exit ${signal}`)));
  }

  /** Two processes at one file would write behind each other's back. */
  #lock(path: string): void {
    const { locks } = this.#parts;
    if (locks.has(path))
      this.#process.world.fail("one writer", `two processes have the file of actor ${path}`);
    this.#file = path;
    locks.set(path, this);
  }

  #unlock(): void {
    const { locks } = this.#parts;
    if (locks.get(this.#file) === this) locks.delete(this.#file);
  }
}

/** What a served file is made of. */
interface SimServedParts {
  readonly process: SimProcess;
  readonly disk: SimDisk;
  readonly id: string;
  readonly unlock: () => void;
}

/** An actor's file, as a helper serves it. */
class SimServed extends ServedDatabase {
  readonly #parts: SimServedParts;

  constructor(parts: SimServedParts) {
    super(openSimDatabase(parts.disk, parts.id, parts.process.env.afterTurn));
    this.#parts = parts;
  }

  commit(batch: Batch): void {
    const { process, disk, id } = this.#parts;
    const { world } = process;
    const connection = this.connection;
    if (batch.rows.length === 0 && batch.alarm === undefined && !connection.inTransaction)
      return connection.checkWhole();
    if (world.faults.strikes(world.options.failWrite)) {
      world.counters.add("ENOSPC for an actor's own file");
      connection.rollback();
      throw new Error("ENOSPC: no space left on device, write");
    }
    commitSimDatabase(disk, id, connection, batch);
  }

  close(): void {
    this.abandon();
    this.connection.database.close();
    this.#parts.unlock();
  }
}
