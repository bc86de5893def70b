export { createClient } from "../create-client.ts";
export type { ActorConnStatus } from "../types.ts";
export type { ActionState } from "./action-runs.ts";
export type { CreateRivetKitOptions, RivetKit } from "./create-rivetkit.ts";
export { createRivetKit, createRivetKitWithClient } from "./create-rivetkit.ts";
export type { ActorNameOf, ActorOptions, AnyActorOptions, SettledOptions } from "./options.ts";
export type {
  ActionNameIn,
  ActionNameOf,
  ActorOf,
  ShownActor,
  UseAction,
  UseActionState,
  UseActorState,
  UseEvent,
} from "./types.ts";
