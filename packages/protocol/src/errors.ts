/**
 * Every error of the protocol package, by `group.code`. The text says what happened and where.
 */
import { TroupeError } from "@troupe/base";

type Metadata = Readonly<Record<string, unknown>>;

function error(
  statusCode: number,
  group: string,
  code: string,
  message: string,
  metadata?: Metadata,
  cause?: unknown,
): TroupeError {
  return new TroupeError(group, code, message, {
    statusCode,
    ...(metadata === undefined ? {} : { metadata }),
    cause,
  });
}

/** Values that can't be encoded or decoded: group `value`. */
export const valueErrors = {
  unsupportedType: (path: string, type: string) =>
    error(400, "value", "unsupported_type", `${path} is ${type}, which can't be stored or sent`, {
      path,
      type,
    }),
  cyclic: (path: string) =>
    error(400, "value", "cyclic", `${path} refers to a value that contains it`, { path }),
  tooDeep: (path: string, limit: number) =>
    error(400, "value", "too_deep", `${path} is nested more than ${limit} levels deep`, { path, limit }),
  tooManyEntries: (path: string, limit: number) =>
    error(413, "value", "too_many_entries", `More than ${limit} entries, at ${path}`, { path, limit }),
  forbiddenKey: (path: string, key: string) =>
    error(400, "value", "forbidden_key", `${path} has the key "${key}", which isn't allowed`, { path, key }),
  noMemory: (path: string, cause: unknown) =>
    error(507, "value", "no_memory", `There is no memory left to encode ${path}`, { path }, cause),
  malformed: (reason: string, cause?: unknown) =>
    error(400, "value", "malformed", `Not an encoded value: ${reason}`, { reason }, cause),
};

/** Messages that aren't what the protocol says: group `protocol`. */
export const protocolErrors = {
  malformedFrame: (reason: string, cause?: unknown) =>
    error(400, "protocol", "malformed_frame", `Malformed message: ${reason}`, { reason }, cause),
  malformedCall: (what: string, expected: string) =>
    error(400, "protocol", "malformed_call", `${what} of a call must be ${expected}`, { what }),
  versionUnsupported: (supported: readonly number[]) =>
    error(
      400,
      "protocol",
      "version_unsupported",
      `This side speaks protocol version ${supported.join(", ")}`,
      {
        supported,
      },
    ),
  encodingUnsupported: (supported: readonly string[]) =>
    error(415, "protocol", "encoding_unsupported", `This side speaks ${supported.join(" and ")}`, {
      supported,
    }),
};

/** Keys and names of actors that can't be one: groups `key` and `name`. */
export const keyErrors = {
  componentTooLong: (index: number, bytes: number, limit: number) =>
    error(
      400,
      "key",
      "component_too_long",
      `Component ${index} of the key has ${bytes} bytes; the limit is ${limit}`,
      {
        index,
        bytes,
        limit,
      },
    ),
  tooLong: (what: "bytes" | "components", size: number, limit: number) =>
    error(400, "key", "too_long", `The key has ${size} ${what}; the limit is ${limit}`, {
      what,
      size,
      limit,
    }),
  notAString: (index: number, type: string) =>
    error(400, "key", "not_a_string", `Component ${index} of the key is ${type}, not a string`, {
      index,
      type,
    }),
  malformed: (reason: string, cause?: unknown) =>
    error(400, "key", "malformed", `Malformed key: ${reason}`, { reason }, cause),
  nameMalformed: (reason: string) => error(400, "name", "malformed", `Malformed name: ${reason}`, { reason }),
};
