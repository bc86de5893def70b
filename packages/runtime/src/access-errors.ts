/** Errors of callers who may not; `errors.ts` exports them with all others. */
import { error } from "./new-error.ts";

/** Errors of who may do what. */
export const accessErrors = {
  mayNotCall: (action: string) =>
    error(403, "auth", "forbidden", `You may not call "${action}"`, { metadata: { action } }),
  refused: (actor: string) => error(403, "auth", "refused", `Actor "${actor}" doesn't let you in`),
  invalidGuard: (action: string) =>
    error(500, "actor", "invalid_guard", `canCall of "${action}" must return true or false`, {
      metadata: { action },
    }),
};
