/**
 * What all activations of one host, or guest, share.
 */
import type { AsyncVariable, Env } from "@troupe/base";
import type { Client } from "@troupe/client";
import type { Activation } from "./activation.ts";
import type { CurrentChain } from "./database-client.ts";

/** Which activation the running code belongs to: follows every await. */
export type CurrentActor = AsyncVariable<Activation>;

/** What all activations of a host share. */
export interface ActivationServices {
  readonly env: Env;
  readonly current: CurrentActor;
  /** A client for actors of the same registry, for an actor of it. */
  client(caller: Activation): Client;
  /** Which chain of calls of its database the running code is. */
  readonly sqlChain: CurrentChain;
}
