export { AssertionError, assert, unreachable } from "./assert.ts";
export type { BusyPollParts, PolledAnswer } from "./busy-poll.ts";
export { BusyPoll } from "./busy-poll.ts";
export type {
  AsyncContext,
  AsyncVariable,
  Clock,
  Crypto,
  Env,
  Ids,
  LogFields,
  Logger,
  TimerHandle,
  TimerOptions,
  Timers,
} from "./env.ts";
export type { RivetErrorLike, TroupeErrorOptions, UserErrorOptions } from "./error.ts";
export { TroupeError, UserError } from "./error.ts";
export type { Finding, FindingLevel } from "./finding.ts";
export { fine, problem, warning } from "./finding.ts";
export { nearest } from "./nearest.ts";
export { packageMoved } from "./package-moved.ts";
export type { RepeatedFailuresOptions, Waiting } from "./repeated-failures.ts";
export { RepeatedFailures } from "./repeated-failures.ts";
export { sourceArguments } from "./source-arguments.ts";
export { TROUPE_VERSION } from "./version.ts";
export { wallWaitMs } from "./wall-wait.ts";
