/**
 * What an actor's rows say, read as production reads them.
 */
import { decodeCbor } from "@troupe/protocol";
import { STATE_PREFIX } from "../../packages/runtime/src/actor/local/state-tree.ts";
import { CREATED_ROW, DESTROYED_ROW, KV_PREFIX } from "../../packages/runtime/src/ports/storage.ts";
import { Job } from "../../packages/runtime/src/schedule/job.ts";
import { decodeOneShot } from "../../packages/runtime/src/schedule/one-shot.ts";
import { JOB_PREFIX, SCHEDULE_PREFIX } from "../../packages/runtime/src/schedule/schedule.ts";
import type { StoredActor } from "../disk/image.ts";
import { marksIn } from "./tokens.ts";

/** An actor's rows, decoded. */
export interface StoredState {
  readonly log: readonly string[];
  /** Marks in the table of a vault, in their order. */
  readonly entries: readonly string[];
  /** Events of its session. */
  readonly transcript: readonly StoredEvent[];
  /** Marks in the built-in. */
  readonly bag: readonly string[];
  readonly count: number;
  readonly mirror: number;
  /** What the key-value store says of the count. */
  readonly key: number;
  readonly schedules: readonly StoredSchedule[];
  /** Tokens of jobs. */
  readonly jobs: readonly StoredSchedule[];
}

/** An event of a session. */
export interface StoredEvent {
  readonly sequence: number;
  readonly mark: string;
}

/** A schedule's row. */
export interface StoredSchedule {
  readonly token: string;
  /** When it wakes its actor; `Infinity` when it failed. */
  readonly dueAt: number;
}

/** `undefined` for an actor without state. */
export function readActor(actor: StoredActor): StoredState | undefined {
  const { rows } = actor;
  const log = rows.get(`${STATE_PREFIX}log`);
  if (log === undefined) return undefined;
  const schedules: StoredSchedule[] = [];
  const jobs: StoredSchedule[] = [];
  for (const [key, value] of rows) {
    if (key.startsWith(SCHEDULE_PREFIX)) schedules.push(readSchedule(value));
    if (key.startsWith(JOB_PREFIX)) {
      const job = Job.decode(key.slice(JOB_PREFIX.length), value);
      jobs.push({ token: job.name, dueAt: job.wakeAt });
    }
  }
  return {
    log: strings(decodeCbor(log)),
    entries: entriesOf(actor),
    transcript: transcriptOf(actor),
    bag: marksOf(rows.get(`${STATE_PREFIX}bag`)),
    count: number(rows.get(`${STATE_PREFIX}count`)),
    mirror: number(rows.get(`${STATE_PREFIX}mirror`)),
    key: text(rows.get(`${KV_PREFIX}count`)),
    schedules,
    jobs,
  };
}

function entriesOf({ tables }: StoredActor): readonly string[] {
  const entries = tables?.find(({ name }) => name === "entries")?.rows ?? [];
  return entries.map(([_place, mark]) => String(mark));
}

function transcriptOf({ tables }: StoredActor): readonly StoredEvent[] {
  const events = tables?.find(({ name }) => name === "session_events")?.rows ?? [];
  return events.map(([_session, sequence, event]) => {
    const [mark = ""] = marksIn(String(event));
    return { sequence: Number(sequence), mark };
  });
}

/** It was made whole, and its end for good wasn't asked for. */
export function lives({ rows }: StoredActor): boolean {
  return rows.has(CREATED_ROW) && !rows.has(DESTROYED_ROW);
}

function readSchedule(bytes: Uint8Array): StoredSchedule {
  const { args, dueAt, failed } = decodeOneShot("", bytes);
  const [token] = strings(args);
  if (token === undefined) throw new TypeError("a row of a schedule can't be read");
  return { token, dueAt: failed === undefined ? dueAt : Infinity };
}

function strings(value: unknown): string[] {
  if (!Array.isArray(value)) throw new TypeError("a row of a log can't be read");
  return value.map(String);
}

function marksOf(bytes: Uint8Array | undefined): readonly string[] {
  const bag = bytes === undefined ? undefined : decodeCbor(bytes);
  return bag instanceof Map ? strings([...bag.values()]) : [];
}

/** A key that was never put stands for 0. */
function text(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? 0 : Number(new TextDecoder().decode(bytes));
}

function number(bytes: Uint8Array | undefined): number {
  return bytes === undefined ? Number.NaN : Number(decodeCbor(bytes));
}
