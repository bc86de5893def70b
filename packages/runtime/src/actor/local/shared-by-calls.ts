/**
 * What the calls of one activation share beside the actor: the turns of a serial one, the results of those with keys, and the
 * door for processes of the machine.
 * There is none of it before a call needs it.
 */

import type { RunningCall } from "../../ports/running-call.ts";
import type { RowChange } from "../../ports/storage.ts";
import { runtimeSocketUnavailable } from "../../runtime-socket/unavailable.ts";
import type { Activation } from "./activation.ts";
import type { ActivationServices, RelayElsewhere, RuntimeDoor } from "./activation-services.ts";
import { Entries } from "./entries.ts";
import { KeyedCalls } from "./keyed-calls.ts";

/** One for each activation that needs it. */
export class SharedByCalls {
  readonly #activation: Activation;
  readonly #services: ActivationServices;
  #runtimeSocket: RuntimeDoor | undefined;
  #entries: Entries | undefined;
  #keyed: KeyedCalls | undefined;

  constructor(activation: Activation, services: ActivationServices) {
    this.#activation = activation;
    this.#services = services;
  }

  /** The door for processes of the actor's machine. Throws `runtime_socket.unavailable`. */
  get runtimeSocket(): RuntimeDoor {
    const { runtimeSocket, env } = this.#services;
    if (runtimeSocket === undefined) throw runtimeSocketUnavailable();
    this.#runtimeSocket ??= runtimeSocket(this.#activation, env);
    return this.#runtimeSocket;
  }

  /** Who is in, and who waits. */
  get entries(): Entries {
    this.#entries ??= new Entries(this.#activation, this.#services.waits);
    return this.#entries;
  }

  /** Calls with idempotency keys. */
  get keyed(): KeyedCalls {
    this.#keyed ??= new KeyedCalls(this.#activation);
    return this.#keyed;
  }

  /** The call that the running code answers. */
  get running(): RunningCall | undefined {
    return this.#services.current.get()?.call;
  }

  /** See `ActivationServices`. */
  get relayElsewhere(): RelayElsewhere | undefined {
    return this.#services.relayElsewhere;
  }

  /** Takes what must be stored. */
  take(into: RowChange[]): void {
    this.#keyed?.take(into);
  }

  /** The activation has ended: who waits for a turn gets none. */
  close(): void {
    this.#entries?.close();
  }
}

/** The turns of an actor that lets one in at a time; nothing where all may be in at once. */
export function entriesOf(activation: Activation): Entries | undefined {
  return activation.descriptor.options.concurrency === "parallel" ? undefined : activation.calls.entries;
}
