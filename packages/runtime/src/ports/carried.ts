/**
 * Carried actors: definitions whose code doesn't run as part of this runtime, but behind a plugin's carrier, in an
 * isolate, or on a remote host.
 *
 * All of them speak actor/v1 (`protocol/schemas/actor/v1`). Here is what the runtime needs to use one, whatever carries
 * it: a carrier that is opened when the first actor needs it, and a line for each running instance. Who is behind the
 * line owns no durable thing: state, connections, the gate and the alarm stay with the runtime.
 */
import type { Env, TroupeError } from "@troupe/base";
import type { DeclaredActor, FromActor, PayloadEncoding, ToActor } from "@troupe/protocol/actor/v1";
import type { Relay } from "@troupe/relay";
import type { PluginSet } from "./plugin-set.ts";
import type { MaybePromise } from "./storage.ts";

/** What is said to an instance. */
export type ActorWord = NonNullable<ToActor["body"]>;

/** What an instance says. */
export type ActorSaying = NonNullable<FromActor["body"]>;

/** One instance's line to its code. In order both ways, until it is closed or lost. */
export interface ActorLine {
  /** Never throws and never blocks: on a lost line it does nothing. */
  send(word: ActorWord): void;
  /** Nothing more is sent or heard. */
  close(): void;
}

/** Who listens at the runtime's end of a line. */
export interface ActorEar {
  heard(saying: ActorSaying): void;
  /**
   * The carrier is gone, and with it all that the code hadn't said. Once, and last. `unsent`: words that are known to have
   * never left, so that nothing of them was done.
   */
  lost(error: TroupeError, unsent?: readonly ActorWord[]): void;
}

/** What the code behind a carrier says of one of its actors. */
export type CarriedDeclaration = DeclaredActor;

/** Whose statement runs when, where many actors share one way to their databases. */
export interface SqlTurns {
  /** Runs a statement, or `count` of them, at once or when it is its turn. Throws `sqlite.busy`, `sqlite.stopping`. */
  run<T>(statement: () => MaybePromise<T>, count?: number): MaybePromise<T>;
  /** Runs the end of a transaction behind what waits. It is never refused. */
  end<T>(statement: () => MaybePromise<T>): MaybePromise<T>;
  /** What waits is refused; settles when what runs has ended, or takes too long. */
  stop(): Promise<void>;
}

/** An open way to code that runs elsewhere. */
export interface ActorCarrier {
  readonly declaration: CarriedDeclaration;
  readonly encoding: PayloadEncoding;
  /** Bytes of one message that starts an instance: rows past it come in messages of their own. Default: `limits.batchBytes`. */
  readonly startBytes?: number;
  /** False from the moment it is lost or closed: the next activation opens another one. */
  readonly open: boolean;
  /** Turns for the statements of one activation; without it they run as they come. */
  sqlTurns?(): SqlTurns;
  /** A line for a new instance. `leave` is called when it is to end in good order and go on elsewhere. */
  connect(ear: ActorEar, leave?: () => void): ActorLine;
  /** What its instances were asked is answered in a moment: `BatchSource.soon`, of all of them. Default: that isn't known. */
  soon?(): Promise<void> | undefined;
  /** Settles when nothing of it is left; running instances have been told `lost`. */
  close(): Promise<void>;
}

/** What a carrier is opened with. */
export interface CarrierRequest {
  readonly env: Env;
  /** The name that the actor is registered under. */
  readonly name: string;
  /** The registry's plugins, whose actors a definition may name. Undefined: it has none. */
  readonly plugins?: PluginSet | undefined;
  /** The relay that the registry's actors run under. Undefined: there is none. */
  readonly relay?: Relay | undefined;
  /** The program runs nothing but JavaScript and modules of WebAssembly. Default: false. */
  readonly onlyWasm?: boolean | undefined;
}

/** The activation that needs a carrier. */
export interface CarriedActivationInfo {
  readonly actorId: string;
  /** The id of its namespace. */
  readonly namespace: string;
  readonly name: string;
  readonly key: readonly string[];
  /** The creator's input; undefined for an actor that wakes. */
  readonly input: unknown;
}

/** Where one definition's carriers come from, in one runtime. */
export interface CarrierSource {
  /** Finds, or opens, a carrier for an activation that starts now. Rejects with what was wrong. */
  carrier(actor: CarriedActivationInfo): ActorCarrier | Promise<ActorCarrier>;
  /** The same for every activation: what it declares is known before anything runs. Absent where that depends on the actor. */
  known?(): ActorCarrier | Promise<ActorCarrier>;
  /** Before the first actor: rejects with what keeps all of them from running. Absent: that isn't known. */
  check?(): Promise<void>;
  /** Gives back what it opened; no instance runs any more. */
  close(): Promise<void>;
}

/** Makes the source of a definition's carriers, when a runtime starts; nothing is opened yet. */
export type OpenCarrierSource = (request: CarrierRequest) => CarrierSource;

/** Opens a carrier. Rejects with what was wrong; the next activation tries again. */
export type OpenCarrier = (request: CarrierRequest) => Promise<ActorCarrier>;

/** The carried actors of a remote host. */
export interface CarriedOnHost {
  /** What their code says of them, when it is open. */
  readonly declarations: readonly CarriedDeclaration[];
  /** Opens all of it: a host says what it has before it has anything to run. Rejects with what is wrong with one. */
  open(): Promise<void>;
  /** What runs in one session with the engine. */
  session(send: (message: FromActor) => void): CarriedOnHostSession;
  close(): void;
}

/** Those that run in one session with the engine. */
export interface CarriedOnHostSession {
  readonly size: number;
  /** False: the message is for an actor of another kind. */
  receive(message: ToActor): boolean;
  /** The engine is gone: nothing that runs here is stored any more. */
  lost(): void;
}
