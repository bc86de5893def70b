/**
 * Errors as values: name and message, and of a TroupeError its group, code, metadata and whether it is retryable. The
 * stack and the cause stay at home: they tell about this process, and whoever receives an error can't use them.
 */
import { TroupeError, UserError } from "@troupe/base";

/** An error as plain data. A type, not an interface, so that it is a record. */
export type ErrorParts = {
  name: string;
  message: string;
  group?: string;
  code?: string;
  metadata?: unknown;
  retryable?: boolean;
};

type ErrorClass = new (message: string) => Error;

const CLASSES = new Map<string, ErrorClass>([
  ["Error", Error],
  ["EvalError", EvalError],
  ["RangeError", RangeError],
  ["ReferenceError", ReferenceError],
  ["SyntaxError", SyntaxError],
  ["TypeError", TypeError],
  ["URIError", URIError],
]);

/** The parts of an error that travel. */
export function errorParts(error: Error): ErrorParts {
  const parts: ErrorParts = { name: String(error.name), message: String(error.message) };
  if (!TroupeError.is(error)) return parts;
  parts.group = String(error.group);
  parts.code = String(error.code);
  if (error.metadata !== undefined) parts.metadata = error.metadata;
  if (error.retryable === true) parts.retryable = true;
  return parts;
}

/** The error of decoded parts; undefined when they aren't parts of one. */
export function errorOf(parts: unknown): Error | undefined {
  if (typeof parts !== "object" || parts === null) return undefined;
  const { name, message, group, code, metadata, retryable } = parts as Record<keyof ErrorParts, unknown>;
  if (typeof name !== "string" || typeof message !== "string") return undefined;
  if (group === undefined && code === undefined) return plainError(name, message);
  if (typeof group !== "string" || typeof code !== "string") return undefined;
  if (metadata !== undefined && !isRecord(metadata)) return undefined;
  if (retryable !== undefined && typeof retryable !== "boolean") return undefined;
  return troupeError({ group, code, message, metadata, retryable: retryable ?? false });
}

/** The TroupeError of parts that were checked: a UserError for group `user`. */
export function troupeError(parts: {
  readonly group: string;
  readonly code: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly retryable: boolean;
}): TroupeError {
  const { group, code, message, metadata, retryable } = parts;
  const extra = metadata === undefined ? {} : { metadata };
  if (group === "user" && !retryable) return new UserError(message, { code, ...extra });
  return new TroupeError(group, code, message, { retryable, ...extra });
}

/** True for a decoded plain object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

function plainError(name: string, message: string): Error {
  const Class = CLASSES.get(name);
  if (Class !== undefined) return new Class(message);
  const error = new Error(message);
  Object.defineProperty(error, "name", { value: name, configurable: true, writable: true });
  return error;
}
