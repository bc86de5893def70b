/**
 * The actors of one plugin, as carriers for the runtime.
 *
 * A carrier belongs to one session of the plugin. When the plugin's process is gone its carriers are, running instances are
 * lost with the real cause, and whoever calls next gets that cause too until the plugin was started again. Nothing durable is
 * lost: state, connections and schedules are the runtime's.
 */
import type { ActorCarrier } from "@troupe/runtime";
import { activationErrors } from "../errors.ts";
import { forCallers } from "../inner-error.ts";
import type { PluginSession } from "../session/session.ts";
import type { SupervisedSession } from "./supervised-session.ts";

/** Gives out carriers of a plugin's actors. */
export class PluginActors {
  readonly #id: string;
  readonly #session: SupervisedSession;
  /** One for each actor of a session: the runtime keeps by them what they declared. */
  readonly #carriers = new WeakMap<PluginSession, Map<string, ActorCarrier>>();

  constructor(id: string, session: SupervisedSession) {
    this.#id = id;
    this.#session = session;
  }

  /** Throws `plugin.restarting`, `plugin.lost`, `plugin.undeclared`, `plugin.which_actor`. */
  carrier(name: string | undefined): ActorCarrier {
    const { current, state, error } = this.#session;
    const failure = current.failure ?? error;
    if (!current.open)
      throw activationErrors.unavailable(
        this.#id,
        state === "lost" ? "lost" : "restarting",
        failure === undefined ? undefined : forCallers(failure),
      );
    const actor = name ?? onlyOne([...current.declared.actors.keys()]);
    let carriers = this.#carriers.get(current);
    if (carriers === undefined) {
      carriers = new Map();
      this.#carriers.set(current, carriers);
    }
    let carrier = carriers.get(actor);
    if (carrier === undefined) {
      carrier = borrowed(current.actor(actor));
      carriers.set(actor, carrier);
    }
    return carrier;
  }
}

/** The one that there is. Throws `plugin.which_actor`. */
export function onlyOne(actors: readonly string[]): string {
  const [first] = actors;
  if (first === undefined || actors.length > 1) throw activationErrors.whichActor(actors);
  return first;
}

/** The session serves more than this actor: its end is its opener's to decide. */
function borrowed(carrier: ActorCarrier): ActorCarrier {
  return {
    declaration: carrier.declaration,
    encoding: carrier.encoding,
    ...(carrier.startBytes !== undefined && { startBytes: carrier.startBytes }),
    get open() {
      return carrier.open;
    },
    connect: (ear) => carrier.connect(ear),
    close: () => Promise.resolve(),
  };
}
