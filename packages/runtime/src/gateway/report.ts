/** What callers don't get to see of errors is in the log. */
import { type Env, TroupeError } from "@troupe/base";
import { losesMetadata } from "@troupe/protocol";
import { tellsOfStop } from "../errors.ts";
import type { ReportInternal } from "./calls.ts";
import { errorStatus } from "./http-message.ts";

/**
 * Logs errors of a gateway: internal ones under the id that the caller gets, and others of which a part is left out, as it
 * can't be sent. Never throws.
 */
export function reporter({ ids, log }: Pick<Env, "ids" | "log">): ReportInternal {
  return (error, context) => {
    if (errorStatus(error) < 500) {
      if (TroupeError.is(error) && losesMetadata(error))
        log.warn("metadata of an error can't be sent, or is too large, and was left out", {
          ...context,
          error: `${error.group}.${error.code}`,
        });
      return undefined;
    }
    const id = ids.random();
    const level = tellsOfStop(error) ? "debug" : "error";
    try {
      log[level]("a call failed", { ...context, id, cause: error });
    } catch {
      log[level]("a call failed", { ...context, id, cause: "what was thrown can't be read" });
    }
    return id;
  };
}
