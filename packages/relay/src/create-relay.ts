/** A relay on Node. */
import type { RelayEnv } from "./env.ts";
import { checkKnown, checkReadable } from "./given.ts";
import { platformEnv } from "./platform.ts";
import { type Relay, relayOn } from "./relay.ts";

/** What a relay is made of. */
export interface CreateRelayOptions {
  /** Default: the platform's own. */
  readonly env?: RelayEnv;
}

/**
 * Makes a relay. Relays share nothing; whoever makes calls and whoever listens to them need the same one.
 *
 * ```ts
 * const relay = createRelay();
 * relay.registerSubscriber("console", (event) => console.log(event.kind, event.name));
 * await relay.toolCallExecute("add", [1, 2], () => ({ result: 3 }));
 * await relay.flushSubscribers();
 * ```
 */
export function createRelay(options: CreateRelayOptions = {}): Relay {
  checkReadable(options);
  checkKnown(options, ["env"]);
  return relayOn(options.env ?? platformEnv());
}
