/**
 * OneShot: a call to come, once.
 *
 *   waiting ──due──▶ running ──ok──▶ gone
 *      ▲                │ failed
 *      ├──tries left────┤
 *      └──retry()── failed: kept, so that somebody sees it
 *
 * `running` is not stored: a call that a crash cut off is one that waits and is due.
 */
import { decodeCbor, encodeCbor, limits } from "@troupe/protocol";
import { scheduleErrors } from "./errors.ts";
import { readFailure, type ScheduleFailure } from "./failure.ts";
import { noRetry, parseRetry, type Retry } from "./retry.ts";
import { RowFields } from "./row-fields.ts";

/** How a call ended that is not tried any more. */
export interface OneShotEnd {
  readonly error: ScheduleFailure;
  /** Wall clock, milliseconds. */
  readonly at: number;
}

/** One call. Its values are those of its row, never the caller's own. */
export interface OneShot {
  readonly id: string;
  readonly name: string | undefined;
  readonly action: string;
  readonly args: readonly unknown[];
  /** The time that it was planned for. */
  readonly runAt: number;
  /** When it is tried next. */
  readonly dueAt: number;
  /** Which try that is, from 1. */
  readonly attempt: number;
  readonly retry: Retry;
  readonly failed: OneShotEnd | undefined;
  /** What it was planned in: a relay's, as text. */
  readonly trace: string | undefined;
}

/** Throws `value.*`, `schedule.args_too_large`. */
export function encodeOneShot(call: OneShot): Uint8Array {
  const { id: _id, retry, attempt, dueAt, failed, name, trace, ...plain } = call;
  const row = {
    ...plain,
    ...(name === undefined ? {} : { name }),
    ...(dueAt === plain.runAt ? {} : { dueAt }),
    ...(attempt === 1 ? {} : { attempt }),
    ...(retry === noRetry ? {} : { retry }),
    ...(failed === undefined ? {} : { failed }),
    ...(trace === undefined ? {} : { trace }),
  };
  return encodeCbor(row, "schedule");
}

/** Throws `storage.corrupt`. */
export function decodeOneShot(id: string, bytes: Uint8Array): OneShot {
  const row = RowFields.of(bytes);
  const runAt = row.number("runAt");
  const failed = row.fields("failed");
  const error = failed?.fields("error");
  return {
    id,
    name: row.optionalText("name"),
    action: row.text("action"),
    args: row.list("args"),
    runAt,
    dueAt: row.number("dueAt", runAt),
    attempt: row.number("attempt", 1),
    retry: readRetry(row),
    trace: row.optionalText("trace"),
    failed:
      error === undefined ? undefined : { error: readFailure(error), at: failed?.number("at") ?? runAt },
  };
}

/** Throws `storage.corrupt`. */
export function readRetry(row: RowFields): Retry {
  const retry = row.fields("retry");
  if (retry === undefined) return noRetry;
  return parseRetry({
    maxAttempts: retry.number("maxAttempts"),
    initialDelayMs: retry.number("initialDelayMs"),
    maxDelayMs: retry.number("maxDelayMs"),
  });
}

/** A copy of what a call is to be given, as it will be stored. Throws `schedule.args_too_large`, `value.*`. */
export function storedArgs(args: readonly unknown[]): unknown[] {
  const bytes = encodeCbor([...args], "args");
  const limit = limits.scheduleArgsBytes;
  if (bytes.byteLength > limit) throw scheduleErrors.argsTooLarge(bytes.byteLength, limit);
  const copy = decodeCbor(bytes);
  return Array.isArray(copy) ? copy : [];
}
