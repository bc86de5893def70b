/**
 * Every error of the plugins package, by `group.code`. The text says what happened, and which plugin it was.
 */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";

function error(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return new TroupeError("plugin", code, message, { statusCode: 502, ...options });
}

/** Group `plugin`: what is wrong with a session, whatever carries it. */
export const pluginErrors = {
  /** The plugin read its configuration, or our version, and said no. The cause is its own error. */
  refused: (why: TroupeError) =>
    error("refused", `The plugin refused to start: ${why.message}`, {
      metadata: { group: why.group, code: why.code },
      cause: why,
      // Its words may be about its configuration.
      public: false,
    }),
  openTimedOut: (timeoutMs: number) =>
    error("open_timed_out", `The plugin didn't say that it is ready within ${timeoutMs} ms`, {
      statusCode: 504,
      metadata: { timeoutMs },
    }),
  versionUnsupported: (version: number, supported: readonly number[]) =>
    error(
      "version_unsupported",
      `The plugin chose version ${version}; this host speaks ${supported.join(", ")}`,
      {
        metadata: { version, supported },
      },
    ),
  encodingUnsupported: (encoding: number) =>
    error("encoding_unsupported", `The plugin chose encoding ${encoding}, which this host doesn't know`, {
      metadata: { encoding },
    }),
  /** What the plugin says of itself can't be: a doubled name, a name that is too long, too much of something. */
  badDeclaration: (why: string, cause?: unknown) =>
    error("bad_declaration", `What the plugin says that it contributes can't be: ${why}`, { cause }),
  /** The plugin broke the contract. The session ends: nothing that it says later can be trusted. */
  violation: (why: string, cause?: unknown) =>
    error("violation", `The plugin broke the contract: ${why}`, { cause }),
  undeclared: (what: string, declared: readonly string[]) =>
    error(
      "undeclared",
      `The plugin declared no ${what}${declared.length === 0 ? "" : `; it has ${declared.join(", ")}`}`,
      { statusCode: 404, metadata: { declared } },
    ),
  /** The plugin is gone. What it was asked may have happened or not. */
  ended: (cause?: unknown) => error("ended", "The plugin ended", { cause }),
  closed: () => error("closed", "The plugin was closed", { statusCode: 503 }),
  callTimedOut: (name: string, timeoutMs: number) =>
    error("call_timed_out", `The plugin's "${name}" gave no answer within ${timeoutMs} ms`, {
      statusCode: 504,
      metadata: { name, timeoutMs },
    }),
  callAborted: (name: string, reason: unknown) =>
    error("call_aborted", `The call of the plugin's "${name}" was aborted`, {
      statusCode: 499,
      cause: reason,
    }),
  tooManyCalls: (limit: number) =>
    error("too_many_calls", `${limit} calls wait for answers of this plugin already`, {
      statusCode: 503,
      retryable: true,
      metadata: { limit },
    }),
  frameTooLong: (bytes: number, limit: number) =>
    error("frame_too_long", `A frame of ${bytes} bytes; the limit is ${limit}`, {
      statusCode: 413,
      metadata: { bytes, limit },
    }),
  /** The plugin takes nothing in, and what waits for it has reached its limit. */
  stalled: (what: "bytes" | "frames", limit: number) =>
    error("stalled", `The plugin takes nothing more in: the limit of ${limit} ${what} that wait is reached`, {
      statusCode: 503,
      metadata: { what, limit },
    }),
};

/** Errors of optional packages. */
export const packageErrors = {
  missing: (name: string, neededFor: string, cause: unknown) =>
    new TroupeError("package", "missing", `${neededFor} needs the package ${name}: npm install ${name}`, {
      statusCode: 500,
      metadata: { install: `npm install ${name}` },
      cause,
    }),
};
