import { LogLevel } from "@troupe/protocol/actor/v1";

/** Levels as carried code says them, and the logger's methods. */
export const logLevels: ReadonlyMap<number, "debug" | "info" | "warn" | "error"> = new Map([
  [LogLevel.DEBUG, "debug"],
  [LogLevel.INFO, "info"],
  [LogLevel.WARN, "warn"],
  [LogLevel.ERROR, "error"],
]);
