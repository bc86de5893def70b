/**
 * Actors carried in this process: the same definitions behind actor/v1. What holds for an actor of this process holds
 * for it as well.
 */

import type { Relay } from "@troupe/relay";
import type { CarriedNeed } from "../../src/actor/behaviour.ts";
import { carriedActor } from "../../src/actor/carried/definition.ts";
import type { AnyActorDefinition } from "../../src/actor/definition.ts";
import { Guest } from "../../src/guest/guest.ts";
import type { CarrierRequest } from "../../src/ports/carried.ts";
import { MemoryCarrier } from "../../src/ports/memory/carrier.ts";

type Use = Readonly<Record<string, AnyActorDefinition>>;

/** Definitions of carried actors that run the given ones. */
export function carried<U extends Use>(
  use: U,
  needs: readonly CarriedNeed[] = ["actors", "database"],
  relay?: Relay,
): U {
  return carriedWith(use, needs, { relay });
}

/** The same, of code that isn't trusted: each text of its SQL has so long. */
export function untrusted<U extends Use>(use: U, sqlTimeLimitMs: number): U {
  return carriedWith(use, ["actors", "database"], { sqlTimeLimitMs });
}

function carriedWith<U extends Use>(
  use: U,
  needs: readonly CarriedNeed[],
  { relay, sqlTimeLimitMs }: { readonly relay?: Relay | undefined; readonly sqlTimeLimitMs?: number },
): U {
  const entries = Object.entries(use).map(([name, definition]) => {
    if (definition.behaviour.kind !== "local") return [name, definition];
    const open = async ({ env }: CarrierRequest) =>
      new MemoryCarrier(env, (send) => new Guest({ env, use: { [name]: definition }, relay, send }));
    const { database } = definition.behaviour;
    const own = database === undefined ? needs.filter((need) => need !== "database") : needs;
    return [name, carriedActor(open, { needs: own, sqlTimeLimitMs })];
  });
  // The same names, and behind each the same actor: its types are those of the definition that it runs.
  return Object.fromEntries(entries) as U;
}
