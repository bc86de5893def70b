/**
 * EngineSession: the engine's end of one remote host.
 *
 *   opening ──Hello──▶ open ──closed, silent, or nonsense──▶ over
 *
 * The host opened the link and says who it is. From then on the running instances of its actors share the link, each
 * under a number that is never used again: what a host says of a number that isn't running any more (it was frozen,
 * and its actors were moved) changes nothing, and it is told so.
 */
import { type Env, type TimerHandle, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import {
  CarriedStopReason,
  decodeDeclarations,
  type FromActor,
  NO_PAYLOAD,
  toCarriedError,
} from "@troupe/protocol/actor/v1";
import {
  type EngineToHost,
  EngineToHostCodec,
  type HostHello,
  type HostToEngine,
  HostToEngineCodec,
} from "@troupe/protocol/host/v1";
import { storageErrors } from "../errors.ts";
import type {
  ActorCarrier,
  ActorEar,
  ActorLine,
  ActorSaying,
  ActorWord,
  CarriedDeclaration,
} from "../ports/carried.ts";
import type { Link, LinkHandler, Message } from "../ports/transport.ts";
import { agree, checkMessage, type HostProtocol } from "./compatibility.ts";
import { remoteErrors } from "./errors.ts";

/** What a session needs of its engine. */
export interface EngineSessionParts {
  readonly env: Env;
  readonly link: Link;
  readonly protocol: HostProtocol;
  /** Throws when the token isn't right. */
  readonly checkToken: (token: string) => void;
  /** The host was taken. */
  readonly opened: (session: EngineSession) => void;
  /** It is gone; nothing more comes. */
  readonly ended: (session: EngineSession) => void;
}

/** Closed because of what the other side did: RFC 6455, 7.4.1. */
const POLICY = 1008;
const MALFORMED = 1002;
const GONE = 1001;

/** One remote host. */
export class EngineSession implements LinkHandler {
  readonly id: string;
  /** Empty until the host said Hello. */
  pool = "";
  readonly #parts: EngineSessionParts;
  readonly #carriers = new Map<string, HostedActor>();
  readonly #ears = new Map<number, ActorEar>();
  #phase: "opening" | "open" | "over" = "opening";
  #version = 0;
  #lastInstance = 0;
  #heardAt: number;
  #watch: TimerHandle;

  constructor(parts: EngineSessionParts) {
    this.#parts = parts;
    this.id = parts.env.ids.ordered();
    this.#heardAt = parts.env.clock.monotonic();
    this.#watch = parts.env.timers.set(() => this.#tooLate(), limits.hostHelloMs, { background: true });
    parts.link.attach(this);
  }

  get open(): boolean {
    return this.#phase === "open";
  }

  /** Instances that run on it. */
  get load(): number {
    return this.#ears.size;
  }

  /** The way to one of its actors; undefined when it has none of the name. */
  carrier(name: string): ActorCarrier | undefined {
    return this.#carriers.get(name);
  }

  message(data: Message): void {
    if (this.#phase === "over") return;
    this.#heardAt = this.#parts.env.clock.monotonic();
    try {
      if (typeof data === "string") throw remoteErrors.malformed("text");
      this.#receive(HostToEngineCodec.decode(data));
    } catch (cause) {
      this.#refuse(TroupeError.is(cause) ? cause : remoteErrors.malformed(String(cause)));
    }
  }

  closed(): void {
    this.#end(remoteErrors.hostLost(this.id));
  }

  /** A running instance's line. */
  connect(ear: ActorEar): ActorLine {
    this.#lastInstance += 1;
    const instance = this.#lastInstance;
    this.#ears.set(instance, ear);
    if (!this.open) ear.lost(remoteErrors.hostLost(this.id));
    return {
      send: (word) => this.#sendWord(instance, word),
      close: () => void this.#ears.delete(instance),
    };
  }

  /** The engine stops: the host may go. */
  close(): void {
    this.#parts.link.close(GONE, "engine.stopping");
    this.#end(remoteErrors.hostLost(this.id));
  }

  #receive({ body }: HostToEngine): void {
    if (body === undefined) throw remoteErrors.malformed("an empty message");
    if (body.$case === "hello") {
      if (this.#phase !== "opening") throw remoteErrors.malformed("a second Hello");
      this.#hello(body.value);
      return;
    }
    if (this.#phase !== "open") throw remoteErrors.malformed(`${body.$case} before Hello`);
    if (body.$case === "actor") this.#fromActor(body.value);
    else if (body.$case === "drain") this.#carriers.clear();
  }

  #hello(hello: HostHello): void {
    const { protocol, env, checkToken } = this.#parts;
    checkToken(hello.token);
    this.#version = agree(protocol.versions, hello.versions, "engine_to_host");
    this.pool = hello.pool || "default";
    for (const [name, declaration] of decodeDeclarations(hello.actors, remoteErrors.malformed))
      this.#carriers.set(name, new HostedActor(this, declaration));
    env.timers.clear(this.#watch);
    this.#phase = "open";
    this.#beat();
    this.#send({
      $case: "welcome",
      value: { version: this.#version, hostId: this.id, heartbeatMs: limits.hostHeartbeatMs },
    });
    this.#parts.opened(this);
  }

  #fromActor({ instance, body }: FromActor): void {
    if (body === undefined) return;
    const ear = this.#ears.get(instance);
    if (ear === undefined) this.#fenced(instance, body);
    else ear.heard(body);
  }

  /** Said by an instance that doesn't run any more: nothing of it counts. */
  #fenced(instance: number, saying: ActorSaying): void {
    if (saying.$case === "ask") {
      const error = toCarriedError(storageErrors.fenced(String(instance)), "cbor");
      const nothing = { rows: [], sql: NO_PAYLOAD, value: NO_PAYLOAD };
      this.#sendWord(instance, { $case: "answer", value: { ask: saying.value.ask, error, ...nothing } });
    } else if (saying.$case === "write") {
      this.#sendWord(instance, { $case: "stop", value: { reason: CarriedStopReason.BROKEN, graceMs: 0 } });
    }
  }

  #sendWord(instance: number, word: ActorWord): void {
    if (this.#phase !== "open") return;
    try {
      checkMessage(this.#parts.protocol, "engine_to_host", word.$case, this.#version);
    } catch (cause) {
      // Only this instance needs it: the others, and the link, go on.
      this.#ears.get(instance)?.lost(TroupeError.is(cause) ? cause : remoteErrors.hostLost(this.id));
      this.#ears.delete(instance);
      return;
    }
    this.#send({ $case: "actor", value: { instance, body: word } });
  }

  #send(body: NonNullable<EngineToHost["body"]>): void {
    this.#parts.link.send(EngineToHostCodec.encode({ body }).finish());
  }

  #refuse(error: TroupeError): void {
    this.#parts.env.log.warn("a remote host was refused", { hostId: this.id, cause: error });
    this.#send({ $case: "refused", value: { error: toCarriedError(error, "cbor") } });
    const code = error.group === "protocol" && error.code === "malformed_frame" ? MALFORMED : POLICY;
    this.#parts.link.close(code, `${error.group}.${error.code}`);
    this.#end(error);
  }

  /**
   * Asks for a sign of life, and gives a host up that has shown none for three beats. An engine that was away itself (a
   * long turn, a machine that slept) has read nothing meanwhile: the host's time begins anew.
   */
  #beat(): void {
    const { env } = this.#parts;
    const dueAt = env.clock.monotonic() + limits.hostHeartbeatMs;
    this.#watch = env.timers.set(() => this.#look(dueAt), limits.hostHeartbeatMs, { background: true });
  }

  #look(dueAt: number): void {
    const now = this.#parts.env.clock.monotonic();
    if (now - dueAt > limits.hostHeartbeatMs) this.#heardAt = now;
    if (now - this.#heardAt > 3 * limits.hostHeartbeatMs) {
      this.#parts.link.close(GONE, "host.silent");
      this.#end(remoteErrors.hostLost(this.id));
      return;
    }
    this.#send({ $case: "heartbeat", value: { number: 0 } });
    this.#beat();
  }

  #tooLate(): void {
    if (this.#phase === "opening") this.#refuse(remoteErrors.noHello(limits.hostHelloMs));
  }

  #end(error: TroupeError): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    this.#parts.env.timers.clear(this.#watch);
    this.#carriers.clear();
    const ears = [...this.#ears.values()];
    this.#ears.clear();
    for (const ear of ears) ear.lost(error);
    this.#parts.ended(this);
  }
}

/** One actor that a host runs. */
class HostedActor implements ActorCarrier {
  readonly encoding = "cbor";
  readonly declaration: CarriedDeclaration;
  readonly #session: EngineSession;

  constructor(session: EngineSession, declaration: CarriedDeclaration) {
    this.#session = session;
    this.declaration = declaration;
  }

  get open(): boolean {
    return this.#session.open && this.#session.carrier(this.declaration.name) === this;
  }

  connect(ear: ActorEar): ActorLine {
    return this.#session.connect(ear);
  }

  /** The host is not this actor's to close. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}
