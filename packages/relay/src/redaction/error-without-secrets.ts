/**
 * Errors on their way to a log. What a subscriber or a middleware throws often quotes what it was given, which is an event
 * that nothing was taken out of yet.
 */

import { plainData } from "../events/plain-data.ts";
import { attempt } from "../given.ts";
import { textWithoutSecrets } from "./secrets.ts";

/** Causes that are told. */
const CAUSES = 8;

/** The error itself when it has no secrets; else what may be told of it. Never throws. */
export function errorWithoutSecrets(error: unknown, causes = CAUSES): unknown {
  if (!(error instanceof Error)) return typeof error === "string" ? textWithoutSecrets(error) : error;
  return attempt(() => told(error, causes)) ?? new Error("unreadable");
}

function told(error: Error, causes: number): Error {
  const { name, message, stack = "", cause } = error;
  const clean = textWithoutSecrets(message);
  const trace = textWithoutSecrets(stack);
  const because = causes === 0 || cause === undefined ? undefined : errorWithoutSecrets(cause, causes - 1);
  const own = JSON.stringify(plainData({ ...error }));
  const isClean = clean === message && trace === stack && because === cause;
  if (isClean && textWithoutSecrets(own) === own) return error;
  // Of its own fields nothing is kept: they are anybody's, and the message says what there is to say.
  const copy = new Error(clean, because === undefined ? undefined : { cause: because });
  copy.name = name;
  copy.stack = trace;
  return copy;
}
