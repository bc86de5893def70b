/** Reloading: an actor whose code is loaded at each activation ends this one, and the next has the code as it is then. */
import { actorErrors, hostingErrors } from "../errors.ts";
import type { Directory } from "../ports/directory.ts";
import type { Factories } from "./factories.ts";
import { seenBy, type Target } from "./target.ts";

/** What a reload needs of its host. */
export interface ReloadParts {
  readonly directory: Directory;
  readonly factories: Factories;
  /** Puts an actor to sleep, if it is awake or about to be; settles when it sleeps. */
  readonly sleep: (id: string) => Promise<void>;
}

/**
 * Settles when nothing runs the old code any more: its calls have ended, or their grace is over. Calls that come meanwhile wait for the next
 * activation. One that sleeps has nothing to end, and failed starts are forgotten. Rejects with `actor.not_found`,
 * `actor.not_registered`, `actor.not_reloadable`.
 */
export async function reloadActor(
  { directory, factories, sleep }: ReloadParts,
  target: Target,
): Promise<void> {
  const record =
    target.kind === "id"
      ? seenBy(target, await directory.get(target.id))
      : await directory.find(target.address);
  const address = target.kind === "id" ? record : target.address;
  if (address === undefined) return;
  const factory = factories.get(address.name, address.namespace);
  if (factory === undefined) throw actorErrors.notRegistered(address.name);
  if (factory.reload === undefined) throw hostingErrors.notReloadable(address.name);
  factory.reload(address);
  if (record !== undefined) await sleep(record.id);
}
