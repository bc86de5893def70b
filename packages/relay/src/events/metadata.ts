/** The conventions for metadata that the relay itself follows, and what injectors may add. */
import { TroupeError } from "@troupe/base";
import type { Json, Metadata, Severity } from "./event.ts";

/** How a scope ended well. */
export const okMetadata: Metadata = { "otel.status_code": "OK" };

/** How a scope ended with an error. Never throws, whatever was thrown. */
export function errorMetadata(error: unknown): Metadata {
  const [type, exception, description] = describe(error);
  return {
    "error.type": type,
    "exception.type": exception,
    "otel.status_code": "ERROR",
    "otel.status_description": description,
  };
}

function describe(error: unknown): readonly [string, string, string] {
  try {
    if (TroupeError.is(error)) return [`${error.group}.${error.code}`, `${error.name}`, `${error.message}`];
    if (error instanceof Error) return ["internal_error", `${error.name}`, `${error.message}`];
    return ["internal_error", typeof error, String(error)];
  } catch {
    return ["internal_error", typeof error, "unreadable"];
  }
}

/** A mark's metadata with its severity. */
export function withSeverity(
  metadata: Metadata | undefined,
  severity: Severity | undefined,
): Metadata | null {
  if (severity === undefined) return metadata ?? null;
  return { ...metadata, "nemo_relay.log.severity": severity };
}

/** True for a value that an injector may add: a scalar, or an array of scalars of one type. */
export function isFlat(value: unknown): value is Json {
  if (isScalar(value)) return true;
  if (!Array.isArray(value)) return false;
  const type = typeof value[0];
  return value.every((element) => isScalar(element) && typeof element === type);
}

function isScalar(value: unknown): boolean {
  return typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}
