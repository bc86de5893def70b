import type { TroupeError } from "@troupe/base";
import { actorErrors, callErrors } from "../../errors.ts";
import type { ActionCall } from "../../ports/instance.ts";
import type { Activation } from "./activation.ts";

/** How long a call may take from now on, and what its caller is told then: the actor's limit, or the caller's own. */
export class CallLimit {
  /** Infinity for no limit. */
  readonly ms: number;
  readonly #name: string;
  readonly #isCallers: boolean;

  constructor(activation: Activation, { name, until }: Pick<ActionCall, "name" | "until">) {
    const { actionTimeout } = activation.descriptor.options;
    const leftMs = until === undefined ? Infinity : until - activation.env.clock.monotonic();
    this.#name = name;
    this.#isCallers = leftMs < actionTimeout;
    this.ms = this.#isCallers ? Math.max(0, leftMs) : actionTimeout;
  }

  error(): TroupeError {
    return this.#isCallers ? callErrors.deadlineExceeded() : actorErrors.actionTimedOut(this.#name, this.ms);
  }
}
