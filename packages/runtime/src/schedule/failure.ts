/** What is kept of the error of a scheduled call. It is told to the actor's own code, which may know what it threw. */
import { toWireError } from "@troupe/protocol";
import type { RowFields } from "./row-fields.ts";

/** An error, as it is kept. RivetKit's shape. */
export interface ScheduleFailure {
  readonly group: string;
  readonly code: string;
  readonly message: string;
  readonly metadata?: unknown;
}

/** Never throws. */
export function failureOf(error: unknown): ScheduleFailure {
  const { group, code, message, metadata } = toWireError(error, true);
  return metadata === undefined ? { group, code, message } : { group, code, message, metadata };
}

/** Throws `storage.corrupt`. */
export function readFailure(fields: RowFields): ScheduleFailure {
  const failure = { group: fields.text("group"), code: fields.text("code"), message: fields.text("message") };
  const metadata = fields.value("metadata");
  return metadata === undefined ? failure : { ...failure, metadata };
}
