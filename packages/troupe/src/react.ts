export type {
  ActionState,
  ActorConnStatus,
  ActorOptions,
  AnyActorOptions,
  CreateRivetKitOptions,
  RivetKit,
  UseActionState,
  UseActorState,
  UseEvent,
} from "@troupe/client/react";
export { createClient, createRivetKit, createRivetKitWithClient } from "@troupe/client/react";
