/** How often an actor may be called: what `options.rateLimit` and `setup({ rateLimit })` take. */
import { nearest } from "@troupe/base";
import { configErrors } from "../errors.ts";

const MOST_NAMES = 16;

/** So many calls in so much time, and so many at once. */
export interface RateLimit {
  readonly calls: number;
  /** Milliseconds. */
  readonly perMs: number;
  /** Calls that may come at once after a while without any. Default: `calls`. */
  readonly burst?: number;
}

/** A limit of each caller. */
export interface CallerRateLimit extends RateLimit {
  /**
   * The connection parameters that say who calls: who shows the same ones is the same caller, whatever else it shows. Who
   * shows none of them is one caller with all others that don't. At most 16 names. Default: all parameters.
   */
  readonly by?: readonly string[];
}

/**
 * Limits of one actor's calls: actions, messages for queues, connections, raw requests, raw sockets and their messages. A
 * call passes when all three let it pass. What the actor calls by itself (schedules) isn't counted.
 */
export interface RateLimits {
  /** All together. */
  readonly actor?: RateLimit;
  /** Each caller: another actor by its id, anybody else by the connection parameters. */
  readonly caller?: CallerRateLimit;
  /** Each connection; a raw socket is one. */
  readonly connection?: RateLimit;
}

/** Checks limits. Throws `config.unknown_option`, `config.invalid_option`. */
export function parseRateLimits(value: unknown): RateLimits {
  const given = fieldsOf("rateLimit", value, ["actor", "caller", "connection"]);
  const limits = given.map(([name, limit]) => [
    name,
    name === "caller" ? parseCallerLimit(limit) : parseLimit(`rateLimit.${name}`, limit),
  ]);
  return Object.freeze(Object.fromEntries(limits));
}

function parseCallerLimit(value: unknown): CallerRateLimit {
  if (typeof value !== "object" || value === null || !("by" in value) || value.by === undefined)
    return parseLimit("rateLimit.caller", value);
  const { by, ...limit } = value;
  const isName = (name: unknown): name is string => typeof name === "string" && name !== "";
  if (!Array.isArray(by) || by.length === 0 || by.length > MOST_NAMES || !by.every(isName))
    throw configErrors.invalidOption(
      "rateLimit.caller.by",
      `1 to ${MOST_NAMES} names of connection parameters`,
    );
  return Object.freeze({ ...parseLimit("rateLimit.caller", limit), by: Object.freeze([...by]) });
}

function parseLimit(place: string, value: unknown): RateLimit {
  const limit: Record<string, number> = {};
  for (const [name, number] of fieldsOf(place, value, ["calls", "perMs", "burst"])) {
    const least = name === "burst" ? 1 : Number.MIN_VALUE;
    if (typeof number !== "number" || !Number.isFinite(number) || number < least)
      throw configErrors.invalidOption(
        `${place}.${name}`,
        name === "burst" ? "1 or more" : "a number above 0",
      );
    limit[name] = number;
  }
  const { calls, perMs, burst = Math.max(1, calls ?? 0) } = limit;
  if (calls === undefined || perMs === undefined)
    throw configErrors.invalidOption(place, "given as { calls, perMs, burst? }");
  return Object.freeze({ calls, perMs, burst });
}

function fieldsOf(place: string, value: unknown, known: readonly string[]): (readonly [string, unknown])[] {
  if (typeof value !== "object" || value === null) throw configErrors.invalidOption(place, "an object");
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  for (const [name] of fields)
    if (!known.includes(name)) throw configErrors.unknownOption(`${place}.${name}`, nearest(name, known));
  return fields;
}
