/**
 * RelayEnv: what the relay takes from the outside world, a part of the runtime's `Env`. `platform.ts` makes the one of
 * Node.
 */
import type { Env } from "@troupe/base";

/** Given to a relay by `createRelay({ env })`; a runtime's `Env` is one. */
export interface RelayEnv extends Pick<Env, "clock" | "timers" | "asyncContext" | "afterTurn"> {
  readonly ids: Pick<Env["ids"], "ordered">;
  /** Gets the first failure of each subscriber and of each middleware that isn't in a call's way. */
  readonly log: Pick<Env["log"], "warn">;
}
