/** What callers don't get to see of errors is in the log. */
import { type Env, TroupeError } from "@troupe/base";
import { limits, losesMetadata } from "@troupe/protocol";
import { tellsOfStop } from "../errors.ts";
import { StartError } from "../host/failed-starts.ts";
import { Seldom } from "../seldom.ts";
import type { ReportInternal } from "./calls.ts";
import { errorStatus } from "./http-message.ts";

/**
 * Logs errors of a gateway: internal ones under the id that the caller gets, and others of which a part is left out, as it
 * can't be sent. What is refused for the moment (no host is there, too much waits, the disk is full) is told whole to its caller, who asks again:
 * here it is a line a minute. Never throws.
 */
export function reporter({ clock, ids, log }: Pick<Env, "clock" | "ids" | "log">): ReportInternal {
  const seldom = new Seldom(clock);
  return (error, context) => {
    const passing = passingOf(error);
    if (passing !== undefined) {
      const more = seldom.take(passing.error);
      if (more !== undefined) log.warn("calls are refused for the moment", { ...passing, more });
      return undefined;
    }
    if (errorStatus(error) < 500) {
      if (TroupeError.is(error) && losesMetadata(error))
        log.warn("metadata of an error can't be sent, or is too large, and was left out", {
          ...context,
          error: `${error.group}.${error.code}`,
        });
      return undefined;
    }
    if (StartError.is(error)) return error.logId;
    const logged = loggedElsewhere(error);
    if (logged !== undefined) {
      log.error("a call failed on its host, whose log says where", { ...context, ...logged });
      return logged.id;
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

/** What passes by itself: nothing was done, its caller knows so, and where it was thrown is of no use to anybody. */
function passingOf(error: unknown): { readonly error: string; readonly why: string } | undefined {
  if (errorStatus(error) < 500 || tellsOfStop(error)) return undefined;
  if (!TroupeError.is(error) || !error.public) return undefined;
  if (!error.retryable && !isFullDisk(error)) return undefined;
  return { error: `${error.group}.${error.code}`, why: error.message };
}

/** All writes fail, for as long as it is full. */
function isFullDisk({ group, code }: TroupeError): boolean {
  return group === "storage" && code === "disk_full";
}

/** An actor's error that its host has logged, with its stack; what there is of it here says nothing of where it was thrown. */
function loggedElsewhere(error: unknown): LoggedElsewhere | undefined {
  if (!TroupeError.is(error) || error.public) return undefined;
  const { group, code, message: why, metadata } = error;
  const id = metadata?.logId;
  if (typeof id !== "string" || id.length > limits.memberNameLength) return undefined;
  return { id, error: `${group}.${code}`, why };
}

interface LoggedElsewhere {
  readonly id: string;
  readonly error: string;
  readonly why: string;
}
