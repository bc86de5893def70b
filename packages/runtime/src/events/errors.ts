/** Errors of events and of those who listen to them. */
import { error } from "../new-error.ts";

/** By code. */
export const eventErrors = {
  tooLarge: (name: string, bytes: number, limit: number) =>
    error(413, "event", "too_large", `A retained event "${name}" has ${bytes} bytes; the limit is ${limit}`, {
      metadata: { name, bytes, limit },
    }),
  forbidden: (name: string) =>
    error(403, "auth", "forbidden", `This client may not listen to "${name}"`, { metadata: { name } }),
  invalidGuard: (name: string) =>
    error(500, "event", "invalid_guard", `canSubscribe of "${name}" must return true or false`, {
      metadata: { name },
    }),
};
