/**
 * HostClient: the remote host's end. It runs actors for an engine elsewhere and has no disk of its own.
 *
 *   connecting ──Welcome──▶ serving ──link lost──▶ away ──Welcome, resumed──▶ serving
 *        └── Refused ──▶ over                       └── too late, or a new session ──▶ connecting
 *
 * A lost link ends nothing by itself. What runs here goes on for as long as the engine said that it would wait; what it
 * says meanwhile is kept (`frame-stream.ts`), and goes on the next link if the engine takes the session up. If it doesn't,
 * or the time is over, everything that runs here ends at once, and nothing more of it is stored: the engine starts the
 * actors somewhere else, and only one of both may write.
 */
import { type Env, type LogFields, type TimerHandle, TroupeError } from "@troupe/base";
import { encodeDeclaration, type FromActor, fromCarriedError } from "@troupe/protocol/actor/v1";
import {
  decodeEngineToHost,
  type EngineToHost,
  encodeHostToEngine,
  type HostResume,
  type HostToEngine,
  type HostWelcome,
} from "@troupe/protocol/host/v1";
import type { Relay } from "@troupe/relay";
import type { CarriedBehaviour } from "../actor/behaviour.ts";
import type { AnyActorDefinition } from "../actor/definition.ts";
import type { OpenRuntimeSocket } from "../actor/local/activation-services.ts";
import { Guest } from "../guest/guest.ts";
import type { CarriedOnHost, CarriedOnHostSession } from "../ports/carried.ts";
import type { Link, LinkHandler, Message } from "../ports/transport.ts";
import { checkMessage, type HostProtocol, hostProtocol } from "./compatibility.ts";
import { EngineDialer } from "./engine-dialer.ts";
import { remoteErrors } from "./errors.ts";
import { FrameStream } from "./frame-stream.ts";
import { Presence } from "./presence.ts";

/** What a remote host is made of. */
export interface HostClientParts {
  readonly env: Env;
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  /** The engine, as people know it. */
  readonly endpoint?: string | undefined;
  readonly token: string;
  /** The name of its namespace. Default: the default one. */
  readonly namespace?: string | undefined;
  readonly pool: string;
  /** The program's version: new actors go to the newest. Default: 0. */
  readonly programVersion?: number | undefined;
  /** The host lasts as long as a request that somebody made. */
  readonly serverless?: boolean | undefined;
  /** Opens a link to the engine. `signal` fires when it took too long. */
  readonly dial: (signal: AbortSignal) => Promise<Link>;
  /** What its actors' own calls run under. */
  readonly relay?: Relay | undefined;
  /** Opens doors for processes of its machine. */
  readonly runtimeSocket?: OpenRuntimeSocket | undefined;
  /** Plugins are modules of WebAssembly alone. */
  readonly onlyWasm?: boolean | undefined;
  /** For tests of compatibility. */
  readonly protocol?: HostProtocol;
}

/** A question, by the number of its instance and its own. */
type Unanswered = readonly [instance: number, ask: number];

/** What lasts over links: what runs here, and what it says and hears. */
interface HostSession {
  readonly guest: Guest;
  readonly carried: CarriedOnHostSession | undefined;
  readonly welcome: HostWelcome;
  readonly stream: FrameStream<Unanswered>;
  readonly presence: Presence;
  /** Links that were dialled for it. */
  epoch: number;
}

/** A host of an engine that is elsewhere. */
export class HostClient {
  readonly #parts: HostClientParts;
  readonly #protocol: HostProtocol;
  readonly #dialer: EngineDialer;
  readonly #ready = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  /** What the host says that it has of its own, and what its plugins carry. */
  readonly #declared: Pick<Guest, "declarations">;
  readonly #carried: CarriedOnHost | undefined;
  #session: HostSession | undefined;
  #link: Link | undefined;
  #greeted = false;
  /** Until the session is given up that has no link. */
  #away: TimerHandle | undefined;
  /** The host stops when its actors have left. */
  #drain: { readonly withinMs: number; readonly timer: TimerHandle } | undefined;
  #closed = false;
  /** Monotonic time of the engine's last message. */
  #heardAt = 0;

  constructor(parts: HostClientParts) {
    const carried = new Map<string, CarriedBehaviour>();
    const others: Record<string, AnyActorDefinition> = {};
    for (const [name, definition] of Object.entries(parts.use))
      if (definition.behaviour.kind === "carried") carried.set(name, definition.behaviour);
      else others[name] = definition;
    this.#parts = { ...parts, use: others };
    const [first] = carried.values();
    this.#carried = first?.host(parts.env, carried, parts.onlyWasm === true);
    this.#protocol = parts.protocol ?? hostProtocol;
    this.#declared = this.#makeGuest(() => {});
    this.#ready.promise.catch(() => {});
    this.#dialer = new EngineDialer({
      env: parts.env,
      dial: parts.dial,
      linked: (link) => {
        this.#link = link;
        this.#greeted = false;
        link.attach(this.#handlerOf(link));
        this.#hello();
      },
      late: () => {
        this.#link = undefined;
      },
    });
    if (this.#carried === undefined) void this.#dialer.dial();
    else void this.#open(this.#carried);
  }

  /** Settles when the engine has taken the host for the first time; rejects with its refusal. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Settles when the host is over: closed, or refused. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** Instances that run here. */
  get size(): number {
    const { guest, carried } = this.#session ?? {};
    return (guest?.size ?? 0) + (carried?.size ?? 0);
  }

  /**
   * Asks the engine to start no more actors here, and to move those that run here. Settles when the host is over: nothing
   * runs here any more, or `withinMs` have passed. Throws `ProtocolCompatibilityError`.
   */
  drain(withinMs: number): Promise<void> {
    if (this.#session === undefined) this.close();
    else checkMessage(this.#protocol, "host_to_engine", "drain", this.#session.welcome.version);
    if (this.#drain === undefined && !this.#closed) {
      const timer = this.#parts.env.timers.set(() => this.close(), withinMs);
      this.#drain = { withinMs, timer };
      this.#send({ $case: "drain", value: { withinMs } });
    }
    return this.over;
  }

  /** Ends the host; what runs here is lost. */
  close(): void {
    this.#end(remoteErrors.engineLost());
  }

  /** What plugins have is said in Hello, so they are opened first. */
  async #open(carried: CarriedOnHost): Promise<void> {
    try {
      await carried.open();
    } catch (cause) {
      return this.#end(TroupeError.is(cause) ? cause : remoteErrors.pluginFailed(cause));
    }
    if (!this.#closed) await this.#dialer.dial();
  }

  #message(data: Message): void {
    this.#heardAt = this.#parts.env.clock.monotonic();
    const body = typeof data === "string" ? undefined : bodyOf(data);
    if (body?.$case === "refused") {
      const { error } = body.value;
      const refusal = error === undefined ? remoteErrors.refused() : fromCarriedError(error, "cbor");
      const why = refusal.message;
      // The engine closes the link behind it.
      if (refusal.retryable)
        return this.#say("warn", "the engine refuses this host for now; trying again", { why });
      this.#say("warn", "the engine refuses this host: it is over", { why });
      this.#end(refusal);
    } else if (body?.$case === "welcome") this.#welcomed(body.value);
    else if (this.#session !== undefined && this.#greeted) this.#heard(this.#session, body, data.length);
  }

  #heard({ guest, carried, stream, presence }: HostSession, body: EngineToHost["body"], bytes: number): void {
    presence.heard();
    switch (body?.$case) {
      case "actor":
        stream.heard(bytes);
        if (carried?.receive(body.value) !== true) guest.receive(body.value);
        return;
      case "heartbeat":
        stream.acknowledged(body.value.received);
        return this.#send({
          $case: "heartbeat",
          value: { number: body.value.number, received: stream.tells() },
        });
      case "acknowledge":
        return stream.acknowledged(body.value.received);
      // Nothing runs here any more.
      case "drain":
        this.#say("info", "drained: this host is over");
        return this.close();
    }
  }

  #welcomed(welcome: HostWelcome): void {
    const link = this.#link;
    if (link === undefined || this.#greeted) return;
    this.#dialer.taken();
    this.#greeted = true;
    this.#stay();
    if (welcome.resumed && this.#session !== undefined) {
      this.#session.presence.heard();
      this.#session.stream.resume(link, welcome.received);
      this.#say("info", "connected to the engine again: everything goes on");
    } else {
      this.#moved(this.size);
      this.#giveUp();
      this.#session = this.#begin(welcome);
      this.#session.stream.attach(link);
      const { endpoint, namespace = "", pool, programVersion = 0 } = this.#parts;
      const named = namespace === "" ? {} : { namespace };
      this.#say("info", "connected to the engine", { endpoint, ...named, pool, programVersion });
    }
    if (this.#drain !== undefined) this.#send({ $case: "drain", value: { withinMs: this.#drain.withinMs } });
    this.#listen(welcome.heartbeatMs);
    this.#ready.resolve();
  }

  /** An engine that doesn't wait for hosts gets each message once, and what was under way with a link is lost with it. */
  #begin(welcome: HostWelcome): HostSession {
    const stream = new FrameStream<Unanswered>({
      keeps: welcome.resumeMs > 0,
      acknowledge: (received) => encoded({ $case: "acknowledge", value: { received } }),
    });
    const presence = new Presence(this.#parts.env.clock, welcome.heartbeatMs);
    const say = (message: FromActor): void =>
      stream.say(encoded({ $case: "actor", value: message }), unansweredOf(message));
    const guest = this.#makeGuest(say, presence);
    return { guest, carried: this.#carried?.session(say), welcome, stream, presence, epoch: 1 };
  }

  #lost(why: string): void {
    this.#link = undefined;
    if (this.#greeted) this.#say("warn", "the connection to the engine is lost; connecting again", { why });
    this.#greeted = false;
    const session = this.#session;
    session?.stream.detach();
    session?.presence.lost();
    const waitMs = session?.welcome.resumeMs ?? 0;
    if (waitMs === 0) this.#giveUp();
    else this.#away ??= this.#parts.env.timers.set(() => this.#late(), waitMs, { background: true });
    if (!this.#closed) this.#dialer.again();
  }

  /** The engine may have started its actors elsewhere by now. */
  #late(): void {
    this.#moved(this.size);
    this.#giveUp();
  }

  #moved(actors: number): void {
    if (actors > 0)
      this.#say("warn", "this host's actors were given up: they go on elsewhere, or here anew", { actors });
  }

  /** A line about this host, under the id that the engine knows it by. */
  #say(level: "info" | "warn", line: string, fields: LogFields = {}): void {
    this.#parts.env.log[level](line, { hostId: this.#session?.welcome.hostId, ...fields });
  }

  /** The session has a link again, or is over. */
  #stay(): void {
    if (this.#away !== undefined) this.#parts.env.timers.clear(this.#away);
    this.#away = undefined;
  }

  /** The session is over: nothing that runs here counts any more. */
  #giveUp(error: TroupeError = remoteErrors.engineLost()): void {
    this.#stay();
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    const unsent = session.stream.unsentNotes;
    session.stream.detach();
    session.guest.lost(error, unsent);
    session.carried?.lost();
    session.presence.end();
  }

  /** What an earlier link still brings is nobody's. */
  #handlerOf(link: Link): LinkHandler {
    return {
      message: (data) => {
        if (this.#link === link) this.#message(data);
      },
      closed: (code, reason) => {
        if (this.#link === link) this.#lost(reason || `closed with ${code}`);
      },
    };
  }

  #makeGuest(send: (message: FromActor) => void, presence?: Presence): Guest {
    const { env, use, relay, runtimeSocket } = this.#parts;
    return new Guest({ env, use, relay, runtimeSocket, send, present: () => presence?.wait() });
  }

  /** An engine that says nothing for five beats is gone, and its socket doesn't know it. */
  #listen(heartbeatMs: number): void {
    const { env } = this.#parts;
    const link = this.#link;
    const dueAt = env.clock.monotonic() + heartbeatMs;
    env.timers.set(
      () => {
        if (this.#link !== link || link === undefined) return;
        const now = env.clock.monotonic();
        // This host was away itself: what came meanwhile isn't read yet.
        if (now - dueAt > heartbeatMs) this.#heardAt = now;
        if (now - this.#heardAt <= 5 * heartbeatMs) this.#listen(heartbeatMs);
        else {
          link.close(1001, "engine.silent");
          this.#lost("engine.silent");
        }
      },
      heartbeatMs,
      { background: true },
    );
  }

  #hello(): void {
    const { token, namespace, pool, programVersion, serverless } = this.#parts;
    this.#send({
      $case: "hello",
      value: {
        versions: this.#protocol.versions,
        token,
        namespace: namespace ?? "",
        pool,
        programVersion: programVersion ?? 0,
        actors: [...this.#declared.declarations, ...(this.#carried?.declarations ?? [])].map(
          encodeDeclaration,
        ),
        resumes: true,
        resume: this.#resume(),
        serverless: serverless ?? false,
      },
    });
  }

  /** The session that is to go on. */
  #resume(): HostResume | undefined {
    const session = this.#session;
    if (session === undefined) return undefined;
    session.epoch += 1;
    const { received, forgotten } = session.stream;
    return { hostId: session.welcome.hostId, epoch: session.epoch, received, forgotten };
  }

  #send(body: NonNullable<HostToEngine["body"]>): void {
    this.#link?.send(encoded(body));
  }

  #end(error: TroupeError): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#dialer.close(error);
    if (this.#drain !== undefined) this.#parts.env.timers.clear(this.#drain.timer);
    this.#giveUp(error);
    this.#carried?.close();
    this.#link?.close(1000, "");
    this.#link = undefined;
    this.#ready.reject(error);
    this.#over.resolve();
  }
}

/** Somebody waits for the answer to a question. */
function unansweredOf({ instance, body }: FromActor): Unanswered | undefined {
  return body?.$case === "ask" ? [instance, body.value.ask] : undefined;
}

function encoded(body: NonNullable<HostToEngine["body"]>): Uint8Array {
  return encodeHostToEngine({ body });
}

/** What a message says; nothing when it can't be read: then it is from an engine that this host can't work for. */
function bodyOf(data: Uint8Array): EngineToHost["body"] {
  try {
    return decodeEngineToHost(data).body;
  } catch {
    return undefined;
  }
}
