/** NamedHost: what stands between a host and an instance that is wrapped: the host knows the wrapper alone. */
import type { Hibernation } from "../ports/hibernation.ts";
import type { ActorInstance, InstanceHost, StopReason } from "../ports/instance.ts";
import type { Whole } from "../ports/whole.ts";

/** A host that hears of one instance under another's name: as soon as there is one. */
export class NamedHost implements Whole<InstanceHost> {
  readonly #host: InstanceHost;
  #name: ActorInstance | undefined;
  /** Asked for in a start hook. */
  readonly #early: StopReason[] = [];

  constructor(host: InstanceHost) {
    this.#host = host;
  }

  get hibernation(): Hibernation | undefined {
    return this.#host.hibernation;
  }

  named(name: ActorInstance): void {
    this.#name = name;
    for (const reason of this.#early.splice(0)) this.#host.requestStop(name, reason);
  }

  idle(instance: ActorInstance, sleepTimeoutMs: number): void {
    this.#host.idle(this.#name ?? instance, sleepTimeoutMs);
  }

  busy(instance: ActorInstance): void {
    this.#host.busy(this.#name ?? instance);
  }

  requestStop(_instance: ActorInstance, reason: StopReason): void {
    if (this.#name === undefined) this.#early.push(reason);
    else this.#host.requestStop(this.#name, reason);
  }

  alarm(instance: ActorInstance, at: number | undefined): void {
    this.#host.alarm(this.#name ?? instance, at);
  }
}
