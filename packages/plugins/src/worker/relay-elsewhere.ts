/** The relay of a plugin's host, as actors in TypeScript reach it from an isolate, a module or a worker. */
import { HostAsk } from "@troupe/protocol/plugin/v1";
import { propagationContextFromJson, scopeElsewhere } from "@troupe/relay";
import type { RelayElsewhere } from "@troupe/runtime/guest";

/** Takes a question that has no answer to the host, for an actor of that name. */
export type TellHost = (ask: HostAsk, input: object, actor: string) => void;

/** One that is asked by `tell`. */
export function relayElsewhere(tell: TellHost): RelayElsewhere {
  return {
    scopeOf: (trace) => scopeElsewhere(propagationContextFromJson(trace)),
    tell: (what, input, actor) => tell(what === "mark" ? HostAsk.MARK : HostAsk.METRIC, input, actor),
  };
}
