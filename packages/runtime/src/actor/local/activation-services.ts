/**
 * What all activations of a host or guest share.
 */
import type { AsyncVariable, Env } from "@troupe/base";
import type { Client } from "@troupe/client";
import type { CallContext, CallOptions, LazyScope, Relay, Scope } from "@troupe/relay";
import type { ActionCall } from "../../ports/instance.ts";
import type { RunningCall } from "../../ports/running-call.ts";
import type { LimiterFor } from "../../rate-limit/limiter.ts";
import type { SqlChain } from "../../sql/chain.ts";
import type { LlmChunks } from "../types/relay.ts";
import type { RuntimeSocketAddress } from "../types/runtime-socket.ts";
import type { Activation } from "./activation.ts";
import type { CurrentChain } from "./database-client.ts";
import type { WaitGraph } from "./wait-graph.ts";

/** Whose code runs: an activation's, and which call's of it. */
export interface Running {
  readonly activation: Activation;
  /** Absent in what no call has brought about: hooks of the lifecycle, `run`. */
  readonly call?: RunningCall | undefined;
  /** Of a call whose scope nobody has made yet. */
  readonly scope?: LazyScope | undefined;
  /** Of a call: true when nobody waits for it any more. */
  readonly aborted?: boolean;
  /** The chain of statements that its code goes on with, piece by piece (`flow-chain.ts`). */
  flow?: SqlChain | undefined;
}

/** The variable that says whose code runs. A relay has one that costs nothing beside its own. */
export function currentActor(env: Pick<Env, "asyncContext">, relay: Relay | undefined): CurrentActor {
  return relay === undefined
    ? env.asyncContext.variable<Running>()
    : relay.hostVariable<Running>(({ scope }) => scope);
}

/** A door for processes of an actor's machine. */
export interface RuntimeDoor {
  /** Where it is; opened once. Rejects with `actor.stopping`. */
  address(): Promise<RuntimeSocketAddress>;
}

/** Makes an activation's door. */
export type OpenRuntimeSocket = (activation: Activation, env: Env) => RuntimeDoor;

/** Whose the running code is: follows every await. */
export type CurrentActor = AsyncVariable<Running>;

/** A call of a tool or a model. */
export interface CallElsewhere {
  /** What it is called, and with what. */
  readonly input: Readonly<Record<string, unknown>>;
  /** The tool or the model itself, here. */
  readonly code: (input: unknown, context: CallContext) => unknown;
  readonly options: CallOptions;
  /** The scope that it is called in, as JSON. */
  readonly trace: string;
}

/** A relay in another process: what of it an actor's code reaches. */
export interface RelayElsewhere {
  /** A scope of its own, as JSON. */
  scopeOf(trace: string): Scope;
  /** Says a mark or a metric, of `input.scope`, a scope as JSON. Throws `actor.not_granted`, `value.*`. */
  tell(what: "mark" | "metric", input: Readonly<Record<string, unknown>>, actor: string): void;
  /** Calls a tool or a model under it. Rejects as the relay's own calls, and with `actor.not_granted`, `value.*`. */
  run(what: "tool" | "llm", call: CallElsewhere, actor: string): Promise<unknown>;
  /** Opens a model's stream under it; what `code` answers is iterated here. Rejects as `run`. */
  stream(call: CallElsewhere, actor: string): Promise<LlmChunks>;
}

/** What all activations of a host share. */
export interface ActivationServices {
  readonly env: Env;
  readonly current: CurrentActor;
  /** A client for actors of the same registry, for an actor of it; `call`: which asks for it, if it is one. */
  client(caller: Activation, call?: RunningCall): Client;
  /** Which chain of calls of its database the running code is. */
  readonly sqlChain: CurrentChain;
  /** Who waits for whom among serial actors. */
  readonly waits: WaitGraph;
  /** What its work runs under, where `setup` was given one. */
  readonly relay?: Relay | undefined;
  /** Where there is none: that of who brings the calls. */
  readonly relayElsewhere?: RelayElsewhere | undefined;
  /** Opens an activation's door for processes of its machine; absent where there are no sockets for it. */
  readonly runtimeSocket?: OpenRuntimeSocket | undefined;
  /** Told of each activation before its code runs. */
  readonly made?: ((activation: Activation) => void) | undefined;
  /** The action that was most likely meant by who called one that isn't there. Absent in a guest: its host refuses such calls. */
  readonly meantAction?: ((activation: Activation, call: ActionCall) => string | undefined) | undefined;
  /** Makes what limits an activation's calls. Absent in a guest: its host counts them. */
  readonly limiter?: LimiterFor | undefined;
}
