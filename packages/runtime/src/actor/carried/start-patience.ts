/** StartPatience: a host that stops waits for no start of code elsewhere longer than for an end of it, its grace period. */
import type { TimerHandle } from "@troupe/base";
import { actorErrors } from "../../errors.ts";
import type { CarriedActivation } from "./activation.ts";

/** Of one start. */
export class StartPatience {
  /** Rejects when the host stops, and has waited. */
  readonly over: Promise<never>;
  readonly #env: CarriedActivation["env"];
  readonly #undo: (() => void) | undefined;
  #timer: TimerHandle | undefined;

  constructor({ env, request, descriptor }: CarriedActivation) {
    const { promise, reject } = Promise.withResolvers<never>();
    this.over = promise;
    this.#env = env;
    this.#undo = request.host.whenStopping?.(() => {
      const late = (): void => reject(actorErrors.stopping());
      this.#timer = env.timers.set(late, descriptor.options.sleepGracePeriod, { background: true });
    });
  }

  /** The start has come to an end. */
  end(): void {
    this.#undo?.();
    if (this.#timer !== undefined) this.#env.timers.clear(this.#timer);
  }
}
