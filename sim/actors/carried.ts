/**
 * The actors of a world whose code is elsewhere: the same definitions behind actor/v1, on carriers that may be lost at any
 * moment with all that the code hadn't said.
 */
import { TroupeError } from "@troupe/base";
import { type AnyActorDefinition, carriedActor } from "@troupe/runtime";
import { Guest } from "../../packages/runtime/src/guest/guest.ts";
import { MemoryCarrier } from "../../packages/runtime/src/ports/memory/carrier.ts";
import type { SimProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";

/** What carriers live in. */
export interface CarriedWorld {
  readonly world: World;
  /** The server's process that runs now. */
  readonly process: () => SimProcess | undefined;
}

/** Carriers of these actors. */
export function carried<U extends Readonly<Record<string, AnyActorDefinition>>>(
  use: U,
  where: CarriedWorld,
): U {
  const entries = Object.entries(use).map(([name, definition]) => [name, carry(name, definition, where)]);
  // The same names, and behind each the same actor.
  return Object.fromEntries(entries) as U;
}

function carry(name: string, definition: AnyActorDefinition, where: CarriedWorld): AnyActorDefinition {
  const { world } = where;
  const open: Parameters<typeof carriedActor>[0] = async ({ env }) => {
    const carrier = new MemoryCarrier(env, (send) => new Guest({ env, use: { [name]: definition }, send }));
    const process = where.process();
    if (process !== undefined && world.faults.strikes(world.options.loseCarrier)) {
      world.later(world.random.around(300), () => process.alive && process.enter(() => lose(carrier, world)));
    }
    return carrier;
  };
  if (name !== "vault") return carriedActor(open);
  const { statementMs } = world.options;
  return carriedActor(open, { needs: ["database"], sqlTimeLimitMs: statementMs });
}

function lose(carrier: MemoryCarrier, world: World): void {
  if (!carrier.open || !world.faults.strikes(1)) return;
  world.counters.add("a carrier was lost");
  world.trace.say("world", "a carrier is lost");
  carrier.lose(
    new TroupeError("plugin", "lost", "The process of the actor's code ended", { statusCode: 502 }),
  );
}
