/** The log of an actor's code. */
import type { LogFields } from "@troupe/base";

/** One level: `log.info("sold", { seats: 2 })`, or as pino has it, `log.info({ seats: 2 }, "sold")` and `log.warn(error)`. */
export interface LogMethod {
  (message: string, fields?: LogFields): void;
  (fields: LogFields | Error, message?: string): void;
}

/** Takes log lines; each says whose it is. */
export interface ActorLogger {
  /** As `debug`. */
  readonly trace: LogMethod;
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warn: LogMethod;
  readonly error: LogMethod;
  /** As `error`. */
  readonly fatal: LogMethod;
  /** A logger that adds `fields` to each line. */
  child(fields: LogFields): ActorLogger;
}
