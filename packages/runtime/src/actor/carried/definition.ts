/**
 * Definitions of actors whose code runs elsewhere.
 */
import type { OpenCarrier, OpenCarrierSource } from "../../ports/carried.ts";
import type { ActorDescriptor, CarriedBehaviour } from "../behaviour.ts";
import type { AnyActorDefinition } from "../definition.ts";
import { defaultOptions } from "../options.ts";
import { OpenedCarrier } from "./carrier-source.ts";

/** What nobody knows of a carried actor before its carrier is open. */
export const UNDECLARED: ActorDescriptor = Object.freeze({
  options: defaultOptions,
  ignoredOptions: Object.freeze([]),
  actions: Object.freeze([]),
  events: Object.freeze([]),
});

/** A definition of a carried actor. It is frozen: nothing outside can exchange what opens it. */
export interface CarriedDefinition extends AnyActorDefinition {
  readonly behaviour: CarriedBehaviour;
}

/**
 * Defines an actor whose code runs behind a carrier, for `setup({ use })`. Each runtime opens a carrier of its own, when
 * the first of the actors is needed; what the actor is called, does and may is what the code declares.
 */
export function carriedActor(open: OpenCarrier): CarriedDefinition {
  return carriedActorFrom((request) => new OpenedCarrier(() => open(request)));
}

/** The same, for carriers that aren't one for all: each runtime makes a source of its own, and asks it at each activation. */
export function carriedActorFrom(source: OpenCarrierSource): CarriedDefinition {
  const behaviour: CarriedBehaviour = Object.freeze({ kind: "carried", source });
  return Object.freeze({ descriptor: UNDECLARED, behaviour });
}
