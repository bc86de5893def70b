/**
 * Decoding runs in one go: a body of many megabytes holds up the event loop, and everybody with it. Nobody sees that
 * from outside, so it is named in the log.
 */
import type { Env } from "@troupe/base";
import { limits } from "@troupe/protocol";

/** Less than this is decoded in no time: it isn't worth looking at the clock. */
const WORTH_TIMING_BYTES = 64 * 1024;

/** What is decoded, and for whom. */
export interface Decoding {
  readonly what: "body" | "hello" | "frame";
  readonly length: number;
  /** Name or id. */
  readonly actor: string;
  readonly action?: string | undefined;
  readonly queue?: string;
}

/** Decodes, and names in the log what took past `limits.eventLoopStallMs`. Throws what `decode` throws. */
export function decodeTimed<R>(
  env: Pick<Env, "clock" | "log">,
  length: number,
  decode: () => R,
  decoding: (result: R | undefined) => Decoding,
): R {
  if (length < WORTH_TIMING_BYTES) return decode();
  const started = env.clock.monotonic();
  let result: R | undefined;
  try {
    result = decode();
    return result;
  } finally {
    const ms = Math.round(env.clock.monotonic() - started);
    if (ms > limits.eventLoopStallMs)
      env.log.warn("decoding held up the event loop", { ...decoding(result), ms });
  }
}
