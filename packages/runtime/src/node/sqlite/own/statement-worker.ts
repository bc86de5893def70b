/**
 * The thread that names a statement of SQL while it runs: the JavaScript thread is in SQLite then, and can say nothing. See
 * `statement-watch.ts`. It must import nothing that needs the package's own resolution: it is started by URL.
 */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import {
  ACTOR_LENGTH,
  ACTOR_OFFSET,
  NUMBERS,
  NUMBERS_OFFSET,
  PARKED,
  RUNNING,
  SEEN,
  SINCE,
  SQL_LENGTH,
  SQL_OFFSET,
  type StatementWorkerData,
} from "./statement-cells.ts";

/** Looks in which nothing ran, before it sleeps until something does. */
const IDLE_LOOKS = 20;

const { memory, slowMs, fd }: StatementWorkerData = workerData;
const times = new Float64Array(memory, 0, 1);
const numbers = new Int32Array(memory, NUMBERS_OFFSET, NUMBERS);
const pause = new Int32Array(new SharedArrayBuffer(4));

function text(offset: number, length: number): string {
  return new TextDecoder().decode(new Uint8Array(memory, offset, length).slice());
}

function report(ms: number): void {
  const fields = {
    ts: new Date().toISOString(),
    level: "warn",
    msg: "a statement of SQL holds up the process",
    actorId: text(ACTOR_OFFSET, Atomics.load(numbers, ACTOR_LENGTH)),
    sql: text(SQL_OFFSET, Atomics.load(numbers, SQL_LENGTH)),
    ms: Math.round(ms),
  };
  writeSync(fd, `${JSON.stringify(fields)}\n`);
}

let reported = 0;
let since = 0;
let idle = 0;
for (;;) {
  Atomics.wait(pause, 0, 0, slowMs / 5);
  const running = Atomics.load(numbers, RUNNING);
  const isNew = running !== numbers[SEEN];
  idle = isNew ? 0 : idle + 1;
  if (isNew) {
    since = Date.now();
    times[SINCE] = since;
    Atomics.store(numbers, SEEN, running);
  }
  if (running === 0 && idle >= IDLE_LOOKS) {
    Atomics.store(numbers, PARKED, 1);
    Atomics.wait(numbers, PARKED, 1);
    idle = 0;
    continue;
  }
  const ms = Date.now() - since;
  if (running === 0 || running === reported || ms < slowMs) continue;
  reported = running;
  report(ms);
}
