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
