/**
 * Errors of runtime sockets.
 */
import { error } from "../new-error.ts";

/** By `group.code`. */
export const runtimeSocketErrors = {
  malformed: (why: string) =>
    error(400, "runtime_socket", "malformed", `This is no message of a runtime socket: ${why}`),
  tooLong: (bytes: number, limit: number) =>
    error(413, "runtime_socket", "too_long", `A message has ${bytes} bytes; ${limit} are the most`, {
      metadata: { bytes, limit },
    }),
  notGiven: (name: string, option: string) =>
    error(
      400,
      "runtime_socket",
      "not_given",
      `${name} isn't set, and no \`${option}\` was given: the actor that starts this process gives it what c.runtimeSocket() has`,
      { metadata: { name } },
    ),
  wrongToken: () => error(401, "runtime_socket", "wrong_token", "The actor doesn't know this token"),
  noHello: (ms: number) => error(408, "runtime_socket", "no_hello", `There was no hello within ${ms} ms`),
  version: (versions: readonly number[]) =>
    error(
      505,
      "runtime_socket",
      "version_unsupported",
      `The actor speaks version ${versions.join(", ")} of the runtime socket`,
    ),
  tooMany: (limit: number) =>
    error(429, "runtime_socket", "too_many", `${limit} processes are connected to this actor already`, {
      metadata: { limit },
    }),
  unknownOperation: (name: string) =>
    error(400, "runtime_socket", "unknown_operation", `There is no operation "${name.slice(0, 80)}"`),
  invalidField: (name: string, expected: string) =>
    error(400, "runtime_socket", "invalid_field", `"${name}" must be ${expected}`, { metadata: { name } }),
  unknownLease: () =>
    error(
      409,
      "runtime_socket",
      "unknown_lease",
      "This lease has ended, or is another connection's: what was done under it is undone",
    ),
  ended: () => error(503, "runtime_socket", "ended", "The actor has ended the connection"),
  lost: () =>
    error(
      502,
      "runtime_socket",
      "lost",
      "The connection is gone: nobody knows what became of what was under way",
    ),
};
