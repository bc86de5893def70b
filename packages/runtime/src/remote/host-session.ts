/**
 * HostSession: what a remote host has of its engine over all links of one session: the actors that run here, and what they
 * say and hear. It is the engine that ends one by not taking it up again, or the host that gives it up; both are for good.
 */
import type { Env, TroupeError } from "@troupe/base";
import { CarriedStopReason, type FromActor, type ToActor, toCarriedError } from "@troupe/protocol/actor/v1";
import {
  decodeEngineToHost,
  type EngineToHost,
  encodeHostToEngine,
  type HostResume,
  type HostToEngine,
  type HostWelcome,
} from "@troupe/protocol/host/v1";
import type { Guest } from "../guest/guest.ts";
import type { CarriedOnHostSession } from "../ports/carried.ts";
import type { Link } from "../ports/transport.ts";
import { checkMessage, type HostProtocol } from "./compatibility.ts";
import { FrameStream } from "./frame-stream.ts";
import { Presence } from "./presence.ts";

/** A question, by the number of its instance and its own. */
type Unanswered = readonly [instance: number, ask: number];

/** What says something of an actor to the engine. Never throws. */
export type ActorVoice = (message: FromActor) => void;

/** What a session is made of. */
export interface HostSessionParts {
  readonly env: Env;
  readonly protocol: HostProtocol;
  readonly welcome: HostWelcome;
  readonly link: Link;
  readonly guest: (say: ActorVoice, presence: Presence) => Guest;
  readonly carried: (say: ActorVoice) => CarriedOnHostSession | undefined;
}

/** One session with an engine. */
export class HostSession {
  readonly welcome: HostWelcome;
  /** What was said and heard of actors. */
  readonly stream: FrameStream<Unanswered>;
  readonly #parts: HostSessionParts;
  readonly #guest: Guest;
  readonly #carried: CarriedOnHostSession | undefined;
  readonly #presence: Presence;
  /** Links that were dialled for it. */
  #epoch = 1;

  /** An engine that doesn't wait for hosts gets each message once, and what was under way with a link is lost with it. */
  constructor(parts: HostSessionParts) {
    const { env, welcome, link, guest, carried } = parts;
    this.#parts = parts;
    this.welcome = welcome;
    this.stream = new FrameStream<Unanswered>({
      keeps: welcome.resumeMs > 0,
      acknowledge: (received) => encoded({ $case: "acknowledge", value: { received } }),
    });
    this.stream.attach(link);
    this.#presence = new Presence(env.clock, welcome.heartbeatMs);
    // What this program says is all known to an engine that speaks its newest version.
    const isOlder = welcome.version < Math.max(...parts.protocol.versions);
    const say = (message: FromActor): void => this.#say((isOlder && this.#unsayable(message)) || message);
    this.#guest = guest(say, this.#presence);
    this.#carried = carried(say);
  }

  /** Instances that run here. */
  get size(): number {
    return this.#guest.size + (this.#carried?.size ?? 0);
  }

  #say(message: FromActor): void {
    this.stream.say(encoded({ $case: "actor", value: message }), unansweredOf(message));
  }

  /** For a message that the session's version lacks: the end of the instance that would say it. The others, and the link, go on. */
  #unsayable({ instance, body }: FromActor): FromActor | undefined {
    const { env, protocol, welcome } = this.#parts;
    try {
      if (body !== undefined) checkMessage(protocol, "host_to_engine", body.$case, welcome.version);
      return undefined;
    } catch (cause) {
      const stop = { reason: CarriedStopReason.BROKEN, graceMs: 0 };
      env.afterTurn(() => this.#tell({ instance, body: { $case: "stop", value: stop } }));
      return { instance, body: { $case: "lost", value: { error: toCarriedError(cause, "cbor") } } };
    }
  }

  #tell(word: ToActor): void {
    if (this.#carried?.receive(word) !== true) this.#guest.receive(word);
  }

  /** The engine has said something. */
  heard(): void {
    this.#presence.heard();
  }

  /** A word for an actor, of so many bytes. */
  receive(word: ToActor, bytes: number): void {
    this.stream.heard(bytes);
    this.#tell(word);
  }

  /** The link is lost: what is said waits for the next one. */
  detach(): void {
    this.stream.detach();
    this.#presence.lost();
  }

  /** What a Hello says that would take the session up; each has a higher number. */
  resumption(): HostResume {
    this.#epoch += 1;
    const { received, forgotten } = this.stream;
    return { hostId: this.welcome.hostId, epoch: this.#epoch, received, forgotten };
  }

  /** The engine has taken the session up on another link. */
  resume(link: Link, received: number): void {
    this.#presence.heard();
    this.stream.resume(link, received);
  }

  /** Nothing that runs here counts any more. */
  end(error: TroupeError): void {
    const unsent = this.stream.unsentNotes;
    this.stream.detach();
    this.#guest.lost(error, unsent);
    this.#carried?.lost();
    this.#presence.end();
  }
}

/** A message to the engine, in bytes. */
export function encoded(body: NonNullable<HostToEngine["body"]>): Uint8Array {
  return encodeHostToEngine({ body });
}

/** What a message says; nothing when it can't be read: then it is from an engine that this host can't work for. */
export function decoded(data: Uint8Array): EngineToHost["body"] {
  try {
    return decodeEngineToHost(data).body;
  } catch {
    return undefined;
  }
}

/** Somebody waits for the answer to a question. */
function unansweredOf({ instance, body }: FromActor): Unanswered | undefined {
  return body?.$case === "ask" ? [instance, body.value.ask] : undefined;
}
