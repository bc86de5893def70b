/**
 * ActorInstance: one activation of an actor, as the rest of the house sees it.
 *
 * Gateway and host know nothing of what is behind it: TypeScript in this process, a plugin, an isolate, or another
 * host. A kind of actor is an `InstanceFactory`; adding one touches no gateway file.
 */
import { closeCodes, type Encoding, type SendOptions } from "@troupe/protocol";
import type { LazyScope } from "@troupe/relay";
import type { ActorAddress, ActorRecord, Generation } from "./directory.ts";
import type { FlowControl, FlowSink } from "./flow.ts";
import type { HibernatingClient, Hibernation } from "./hibernation.ts";
import type { ConnectedClient, InstanceEdits } from "./inspection.ts";
import type { Output } from "./output.ts";
import type { RawRequest } from "./raw.ts";
import type { Abandoned, CallChain } from "./running-call.ts";
import type { ActorStore, Row, StoreNeeds } from "./storage.ts";
import type { Message } from "./transport.ts";

/** One running activation of an actor. */
export interface ActorInstance {
  readonly record: ActorRecord;
  readonly generation: Generation;
  /** False from the moment it begins to stop, or is doomed: then the host holds calls for the next activation. */
  readonly accepting: boolean;
  /** Its end for good was asked for, and is stored with its writes: the host ends it, whatever it was stopped for. */
  readonly doomed: boolean;
  /**
   * Starts an action. Never throws: whatever happens goes to `call.reply`. `scope`: that it runs in, if somebody asks; given
   * only to who takes it (`InstanceFactory.takesScopes`).
   */
  action(call: ActionCall, scope?: ActionScope): void;
  /** Runs the connect hooks. Rejects with what refused the connection. */
  connect(request: ConnectRequest): Promise<ActorConnection>;
  /** Takes what speaks the actor's own protocol. Never throws: what refuses it goes to `request.refused`. */
  open(request: RawRequest): void;
  /** Settles when everything written so far is durable; rejects when that failed. */
  settled(): Promise<void>;
  /** Ends the activation; settles when everything is released. Asked again, it gives the same promise. */
  stop(reason: StopReason): Promise<void>;
  /** What people want to know about it, and may change of it by hand. */
  report(): InstanceReport;
}

/** Why an activation ends. `broken`: its gate broke, nothing more is saved. */
export type StopReason = "sleep" | "destroy" | "host-stop" | "broken";

/** A scope of a relay that is made when somebody asks for it. */
export interface ActionScope extends LazyScope {
  /** The call has an answer. */
  end(): void;
}

/** What a call may come again under. */
export interface CallName {
  /** However often it comes under this key, the call is applied once. */
  readonly idempotencyKey?: string | undefined;
  /** With a key: what all attempts of one call have in common, and nobody else knows. */
  readonly ticket?: string | undefined;
}

/** A call of an action, or a message for a queue. */
export interface ActionCall extends CallName {
  readonly name: string;
  readonly args: readonly unknown[];
  /** `name` is a queue, and `args` hold the message. The answer is a `SendOutcome`. */
  readonly send?: SendOptions | undefined;
  /** The caller's connection; absent for a stateless call. */
  readonly connection?: ActorConnection | undefined;
  /** Connection parameters of a stateless call. */
  readonly params?: unknown;
  /** The HTTP request of a stateless call, made when somebody asks. */
  readonly request?: (() => Request) | undefined;
  readonly reply: Reply;
  /** Told when the actor's code begins with it, or a message is in its queue. */
  began?(): void;
  /** When the caller gives up, monotonic; absent for never. */
  readonly until?: number | undefined;
  /** Who calls, where the host knows it: another actor. Else it is whoever has these connection parameters. */
  readonly caller?: string | undefined;
  /** What the call is a part of; absent for a call from outside. */
  readonly chain?: CallChain | undefined;
  /** How many calls of actors it is inside of; none for a call from outside. */
  readonly depth?: number | undefined;
  /** The scope of a relay that it runs in, as JSON; absent for none. */
  readonly trace?: string | undefined;
  /**
   * Calls `listener` when the caller waits no longer, at once when that is so. Asked for by calls that pend; of several
   * listeners the last one is told.
   */
  onAbandoned?(listener: Abandoned): void;
}

/** Turns the end of a call into an output, in the caller's encoding. The instance sends it through its gate. */
export interface Reply {
  /** May throw a `TroupeError` for a value that can't be encoded. */
  ok(output: unknown): Output;
  error(error: unknown): Output;
  /** The result comes in items instead: where they go. Nothing flows before credit is given. */
  flow(control: FlowControl): FlowSink<unknown>;
}

/** A client that wants to be connected. */
export interface ConnectRequest {
  /** The connection's id, when somebody else has chosen it. */
  readonly id?: string;
  readonly params: unknown;
  readonly sink: ConnectionSink;
  readonly request?: (() => Request) | undefined;
  /** Who keeps the socket while the actor sleeps; absent: the connection ends with the activation. */
  readonly client?: HibernatingClient | undefined;
  /** Makes the output that tells the client that it is connected, once the hooks are done; the sink shows it first. */
  readonly opened?: (connection: ActorConnection) => Output;
}

/** A connected client, as the gateway uses it. */
export interface ActorConnection {
  readonly id: string;
  /** A message from the client may have this many bytes. */
  readonly maxIncomingBytes: number;
  /** A message to the client may have this many bytes. */
  readonly maxOutgoingBytes: number;
  /** Its client is kept while the actor sleeps: what the client says meanwhile is held for the next activation. */
  readonly hibernatable?: boolean;
  /** Sends an output in the connection's order. */
  emit(output: Output): void;
  /** Takes an event from now on, if the client may; what comes of it leaves as an output that `answer` makes. */
  subscribe(request: SubscribeRequest, answer: SubscribeAnswer): void;
  unsubscribe(event: string): void;
  /** The client is gone. */
  closed(): void;
}

/** What a client wants to listen to. */
export interface SubscribeRequest {
  readonly event: string;
  /** It has retained events of this actor up to a sequence, and wants those behind. */
  readonly resume?: { readonly actorId: string; readonly after: number } | undefined;
}

/** Makes the output that tells a client what came of its wish. */
export interface SubscribeAnswer {
  /** In force. What the client had missed precedes it. */
  done(place: SubscriptionPlace): Output;
  refused(error: unknown): Output;
}

/** Where a subscription begins. */
export interface SubscriptionPlace {
  /** The event is retained: what comes is behind this one. */
  readonly sequence?: number;
  /** What the client had missed isn't there any more. */
  readonly gap?: boolean;
}

/** Where an actor's messages to one client go. */
export interface ConnectionSink {
  readonly encoding: Encoding;
  /** An event that has passed the gate. One that was sent in a connect hook comes before the `opened` output. */
  event(event: EncodedEvent): void;
  /** The actor ends the connection. */
  close(reason: CloseReason): void;
  /** The connection has begun to end, whoever wanted it (`reason`: the actor). `onDisconnect` waits for it. */
  ended?(reason: CloseReason | undefined): Promise<void>;
  /** The activation ends, and the connection goes on without it: nothing more is said here. */
  hibernated?(): void;
}

/**
 * Why an actor ends a connection: `kicked` by its code, `stopped` with the activation, `destroyed` with the actor,
 * `broken` with its gate, `unsent` as the gate had no room for something that the client was to get.
 */
export interface CloseReason {
  readonly kind: "kicked" | "stopped" | "destroyed" | "broken" | "unsent";
  readonly text: string;
}

/** The code that a socket is closed with. */
export function closeCodeOf({ kind }: CloseReason): number {
  return {
    kicked: closeCodes.normal,
    stopped: closeCodes.restart,
    destroyed: closeCodes.normal,
    broken: closeCodes.internal,
    unsent: closeCodes.internal,
  }[kind];
}

/** An event, encoded once for all who get it. */
export interface EncodedEvent {
  message(encoding: Encoding): Message;
  readonly bytes: number;
  /** It waited for nothing, and is to wait for nothing on its way. */
  readonly unconfirmed?: boolean;
}

/** A snapshot for people and tests, and what they may change. */
export interface InstanceReport {
  readonly phase: "loading" | "running" | "stopping" | "stopped";
  readonly awakeReasons: readonly string[];
  readonly connections: number;
  readonly actionsInFlight: number;
  /** When it wants to be woken (wall clock, ms), `null` for never. */
  readonly alarmAt: number | null;
  readonly clients: readonly ConnectedClient[];
  /** Absent where its code runs elsewhere. */
  readonly edits?: InstanceEdits | undefined;
}

/** What a factory is given to make an activation. */
export interface InstanceOpen {
  readonly record: ActorRecord;
  readonly generation: Generation;
  readonly store: ActorStore;
  readonly rows: readonly Row[];
  readonly isNew: boolean;
  /** The creator's input; only with `isNew`. */
  readonly input: unknown;
  /** The creation isn't durable before this settles. */
  readonly created: Promise<void> | undefined;
  /** When the host began with it, monotonic: before it read the rows. Absent: now. */
  readonly since?: number;
  readonly host: InstanceHost;
}

/** What an activation may ask of its host. */
export interface InstanceHost {
  /** Keeps clients whose actor sleeps; absent where connections end with the activation. */
  readonly hibernation?: Hibernation | undefined;
  /** Who stands before an instance: clients that are resumed call that one. Absent: nobody does. */
  known?(instance: ActorInstance): ActorInstance;
  /** Nothing keeps the instance awake: the host may stop it after `sleepTimeoutMs`. */
  idle(instance: ActorInstance, sleepTimeoutMs: number): void;
  /** Something keeps it awake again. */
  busy(instance: ActorInstance): void;
  /** Tells one that starts that its host stops. Returns what undoes it. Absent: the host waits for its start. */
  whenStopping?(told: () => void): () => void;
  /** The instance wants to end: the host calls `stop` in a turn of its own. */
  requestStop(instance: ActorInstance, reason: StopReason): void;
  /** The instance sleeps with an alarm set (wall clock, ms); `undefined`: it broke, and nobody knows which is stored. */
  alarm(instance: ActorInstance, at: number | undefined): void;
}

/** Makes activations of one kind of actor. */
export interface InstanceFactory {
  /** What its actors need of their stores. */
  readonly needs?: StoreNeeds;
  /** Its actors run actions in the scopes that they are given with them. */
  readonly takesScopes?: boolean;
  /** The started actor, at once when its start has nothing to wait for; rejects with what its start hooks threw. */
  open(request: InstanceOpen): ActorInstance | Promise<ActorInstance>;
  /** Present where each activation loads its code anew: the next one of this actor isn't kept waiting by those that failed. */
  readonly reload?: ((address: ActorAddress) => void) | undefined;
  /** Gives back what all activations share; none runs any more. */
  close?(): Promise<void>;
}
