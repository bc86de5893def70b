/** What an activation is made of, and what it may be at. */
import type { ActorInstance, InstanceHost, StopReason } from "../../ports/instance.ts";
import type { ActorStore } from "../../ports/storage.ts";
import type { ActorDescriptor, LocalBehaviour } from "../behaviour.ts";
import type { ActivationServices } from "./activation-services.ts";

/** The lifecycle, tagged. */
export type Phase =
  | { readonly tag: "loading" }
  | { readonly tag: "running" }
  | { readonly tag: "stopping"; readonly reason: StopReason; readonly done: Promise<void> }
  | { readonly tag: "stopped"; readonly reason: StopReason };

/** What an activation is made of. */
export interface ActivationParts {
  readonly services: ActivationServices;
  readonly host: InstanceHost;
  /** What the host knows it as. */
  readonly instance: ActorInstance;
  readonly store: ActorStore;
  readonly descriptor: ActorDescriptor;
  readonly behaviour: LocalBehaviour;
}
