/**
 * The thread that names a statement of SQL while it runs: the JavaScript thread is in SQLite then, and can say nothing. See
 * `statement-watch.ts`. It must import nothing that needs the package's own resolution: it is started by URL.
 */
import { writeSync } from "node:fs";
import { workerData } from "node:worker_threads";
import {
  ACTOR_LENGTH,
  ACTOR_OFFSET,
  NUMBERS_OFFSET,
  PARKED,
  SEEN,
  SQL_LENGTH,
  SQL_OFFSET,
  STARTED,
  type StatementWorkerData,
} from "./statement-cells.ts";

/** Looks in which nothing ran, before it sleeps until something does. */
const IDLE_LOOKS = 20;

const { memory, slowMs, fd }: StatementWorkerData = workerData;
const started = new Float64Array(memory, 0, 2);
const numbers = new Int32Array(memory, NUMBERS_OFFSET, 3);
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
let last = 0;
let idle = 0;
for (;;) {
  Atomics.wait(pause, 0, 0, slowMs / 5);
  const since = started[STARTED] ?? 0;
  idle = since === last ? idle + 1 : 0;
  last = since;
  started[SEEN] = since;
  if (since === 0 && idle >= IDLE_LOOKS) {
    Atomics.store(numbers, PARKED, 1);
    Atomics.wait(numbers, PARKED, 1);
    idle = 0;
    continue;
  }
  const ms = Date.now() - since;
  if (since === 0 || since === reported || ms < slowMs) continue;
  reported = since;
  report(ms);
}
