import { actorErrors } from "../errors.ts";
import type { ActorHost, Target } from "../host/actor-host.ts";
import type { ActorInstance } from "../ports/instance.ts";

/**
 * The actor of `target`, once `loading` is done. Of those that waited for it together an earlier one may have ended it: the
 * others want the next one. Not again and again: an actor that ends itself in its start says so to its caller.
 */
export async function loaded(
  host: ActorHost,
  target: Target,
  loading: ActorInstance | Promise<ActorInstance>,
): Promise<ActorInstance> {
  const instance = await loading;
  return instance.accepting ? instance : await host.load(target);
}

/**
 * Wakes an actor for a client that sleeps with it, and that it asks for while it starts. Rejects with `actor.stopping`
 * when its gate broke before it could go on with the client: that one still sleeps, and nobody else would wake the actor.
 */
export async function woken(host: ActorHost, id: string): Promise<void> {
  const target = { kind: "id", id } as const;
  const instance = await loaded(host, target, host.load(target));
  if (!instance.accepting) throw actorErrors.stopping();
}
