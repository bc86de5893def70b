/** NamedHost: what stands between a host and an instance that is wrapped: the host knows the wrapper alone. */
import type { Hibernation } from "../ports/hibernation.ts";
import type { ActorInstance, InstanceHost, StopReason } from "../ports/instance.ts";
import type { Whole } from "../ports/whole.ts";

/**
 * A host that hears of one instance under its wrapper's name. The wrapper is made when the instance is first known: by a
 * client that is resumed, before the factory has given the instance away, or then.
 */
export class NamedHost<Name extends ActorInstance> implements Whole<InstanceHost> {
  readonly #host: InstanceHost;
  readonly #wrap: (instance: ActorInstance) => Name;
  #name: Name | undefined;
  /** The factory has given it away. */
  #opened = false;
  /** Asked for in a start hook. */
  readonly #early: StopReason[] = [];

  constructor(host: InstanceHost, wrap: (instance: ActorInstance) => Name) {
    this.#host = host;
    this.#wrap = wrap;
  }

  get hibernation(): Hibernation | undefined {
    return this.#host.hibernation;
  }

  /** The factory gives the instance away: this one is what the host is given. */
  opened(instance: ActorInstance): Name {
    const name = this.#nameOf(instance);
    this.#opened = true;
    for (const reason of this.#early.splice(0)) this.#host.requestStop(name, reason);
    return name;
  }

  known(instance: ActorInstance): ActorInstance {
    const name = this.#nameOf(instance);
    return this.#host.known?.(name) ?? name;
  }

  idle(instance: ActorInstance, sleepTimeoutMs: number): void {
    this.#host.idle(this.#name ?? instance, sleepTimeoutMs);
  }

  busy(instance: ActorInstance): void {
    this.#host.busy(this.#name ?? instance);
  }

  whenStopping(told: () => void): () => void {
    return this.#host.whenStopping?.(told) ?? (() => {});
  }

  requestStop(instance: ActorInstance, reason: StopReason): void {
    if (this.#opened) this.#host.requestStop(this.#nameOf(instance), reason);
    else this.#early.push(reason);
  }

  alarm(instance: ActorInstance, at: number | undefined): void {
    this.#host.alarm(this.#name ?? instance, at);
  }

  #nameOf(instance: ActorInstance): Name {
    this.#name ??= this.#wrap(instance);
    return this.#name;
  }
}
