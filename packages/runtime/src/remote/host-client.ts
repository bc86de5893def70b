/**
 * HostClient: the remote host's end. It runs actors for an engine elsewhere and has no disk of its own.
 *
 *   looking ──link──▶ greeting ──Welcome──▶ serving ──link lost──▶ away ──link──▶ returning ──Welcome──▶ serving
 *      ▲                 │                                          │ ▲                │
 *      ├──── link lost ──┘                                          │ └── link lost ───┤
 *      └──── the session is over: too late, or the engine refuses to take it up ───────┘
 *
 *   any ──closed, drained, or the host itself is refused──▶ over
 *
 * A lost link ends nothing by itself. What runs here goes on for as long as the engine said that it would wait; what it
 * says meanwhile is kept (`frame-stream.ts`), and goes on the next link if the engine takes the session up. If it doesn't,
 * or the time is over, everything that runs here ends at once, and nothing more of it is stored: the engine starts the
 * actors somewhere else, and only one of both may write.
 *
 * A Hello names the session that it would take up, so link and session belong together from then on: a session that is
 * given up while its Hello is on the way takes the link along, and no Welcome can be for a session that isn't there. The
 * engine, which may have taken it up by then, hears that the host has left, and waits for nobody.
 */
import { type Env, type LogFields, type TimerHandle, TroupeError } from "@troupe/base";
import { encodeDeclaration, fromCarriedError } from "@troupe/protocol/actor/v1";
import type { EngineToHost, HostToEngine, HostWelcome } from "@troupe/protocol/host/v1";
import type { Relay } from "@troupe/relay";
import type { CarriedBehaviour } from "../actor/behaviour.ts";
import type { AnyActorDefinition } from "../actor/definition.ts";
import type { OpenRuntimeSocket } from "../actor/local/activation-services.ts";
import { failureLog } from "../guest/failure-log.ts";
import { Guest } from "../guest/guest.ts";
import type { CarriedOnHost } from "../ports/carried.ts";
import type { Link, LinkHandler, Message } from "../ports/transport.ts";
import { GONE } from "./close-codes.ts";
import { checkMessage, type HostProtocol, hostProtocol } from "./compatibility.ts";
import { EngineDialer } from "./engine-dialer.ts";
import { remoteErrors } from "./errors.ts";
import { type ActorVoice, decoded, encoded, HostSession } from "./host-session.ts";
import type { Presence } from "./presence.ts";
import { Pulse } from "./pulse.ts";

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

/** Where a host stands: what it has of an engine, each with what ends with it. */
type State =
  | { readonly is: "looking" | "over" }
  /** Hello was said on the link. */
  | { readonly is: "greeting"; readonly link: Link }
  /** The link is given up when the engine is silent. */
  | { readonly is: "serving"; readonly link: Link; readonly session: HostSession; readonly pulse: Pulse }
  /** The session is given up when the timer fires. */
  | { readonly is: "away"; readonly session: HostSession; readonly timer: TimerHandle }
  /** Hello was said on the link, for this session. */
  | {
      readonly is: "returning";
      readonly link: Link;
      readonly session: HostSession;
      readonly timer: TimerHandle;
    };

/** An engine that says nothing for so many beats is gone. */
const SILENT_BEATS = 5;

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
  #state: State = { is: "looking" };
  /** The host stops when its actors have left. */
  #drain: { readonly withinMs: number; readonly timer: TimerHandle } | undefined;
  #refusal: TroupeError | undefined;

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
      linked: (link) => this.#linked(link),
      late: () => this.#unlink(),
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

  /** Why the engine has refused the host; undefined while it hasn't. */
  get refusal(): TroupeError | undefined {
    return this.#refusal;
  }

  /** Instances that run here. */
  get size(): number {
    return this.#session?.size ?? 0;
  }

  /**
   * Asks the engine to start no more actors here, and to move those that run here. Settles when the host is over: nothing
   * runs here any more, or `withinMs` have passed. Throws `ProtocolCompatibilityError`.
   */
  drain(withinMs: number): Promise<void> {
    if (this.#session === undefined) this.close();
    else checkMessage(this.#protocol, "host_to_engine", "drain", this.#session.welcome.version);
    if (this.#drain === undefined && this.#state.is !== "over") {
      const timer = this.#parts.env.timers.set(() => this.close(), withinMs);
      this.#drain = { withinMs, timer };
      this.#sayDrain();
    }
    return this.over;
  }

  /** Ends the host; what runs here is lost. */
  close(): void {
    this.#end(remoteErrors.engineLost());
  }

  get #session(): HostSession | undefined {
    return "session" in this.#state ? this.#state.session : undefined;
  }

  get #link(): Link | undefined {
    return "link" in this.#state ? this.#state.link : undefined;
  }

  /** What plugins have is said in Hello, so they are opened first. */
  async #open(carried: CarriedOnHost): Promise<void> {
    try {
      await carried.open();
    } catch (cause) {
      return this.#end(TroupeError.is(cause) ? cause : remoteErrors.pluginFailed(cause));
    }
    if (this.#state.is !== "over") await this.#dialer.dial();
  }

  #linked(link: Link): void {
    const state = this.#state;
    this.#state = state.is === "away" ? { ...state, is: "returning", link } : { is: "greeting", link };
    link.attach(this.#handlerOf(link));
    this.#hello();
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

  #message(data: Message): void {
    const body = typeof data === "string" ? undefined : decoded(data);
    if (body?.$case === "refused") {
      const { error } = body.value;
      this.#refused(error === undefined ? remoteErrors.refused() : fromCarriedError(error, "cbor"));
    } else if (body?.$case === "welcome") this.#welcomed(body.value);
    else if (this.#state.is === "serving") {
      this.#state.pulse.heard();
      this.#heard(this.#state.session, body, data.length);
    }
  }

  #heard(session: HostSession, body: EngineToHost["body"], bytes: number): void {
    session.heard();
    switch (body?.$case) {
      case "actor":
        return session.receive(body.value, bytes);
      case "heartbeat":
        session.stream.acknowledged(body.value.received);
        return this.#send({
          $case: "heartbeat",
          value: { number: body.value.number, received: session.stream.tells() },
        });
      case "acknowledge":
        return session.stream.acknowledged(body.value.received);
      // Nothing runs here any more.
      case "drain":
        this.#say("info", "drained: this host is over");
        return this.close();
    }
  }

  /** Refused is who asks: a host that would go on with its session asks again without it. */
  #refused(refusal: TroupeError): void {
    const { message: why, retryable } = refusal;
    if (retryable || this.#state.is === "returning") {
      this.#say("warn", "the engine refuses this host for now; trying again", { why });
      // The engine closes the link behind it.
      if (!retryable) this.#forsake();
    } else {
      this.#say("warn", "the engine refuses this host: it is over", { why });
      // Where it was read is of no use to whoever sees it, maybe as the last thing that a process says.
      refusal.stack = `${refusal.name}: ${why}`;
      this.#refusal = refusal;
      this.#end(refusal);
    }
  }

  #welcomed(welcome: HostWelcome): void {
    const state = this.#state;
    if (state.is !== "greeting" && state.is !== "returning") return;
    const { link } = state;
    const pulse = this.#listen(link, welcome.heartbeatMs);
    if (state.is === "returning" && welcome.resumed) {
      const { session, timer } = state;
      this.#dialer.taken("resumed");
      this.#parts.env.timers.clear(timer);
      this.#state = { is: "serving", link, session, pulse };
      session.resume(link, welcome.received);
      this.#say("info", "connected to the engine again: everything goes on");
    } else {
      this.#dialer.taken("new");
      this.#giveUp();
      this.#state = { is: "serving", link, session: this.#begin(welcome, link), pulse };
      const { endpoint, namespace = "", pool, programVersion = 0 } = this.#parts;
      const named = namespace === "" ? {} : { namespace };
      this.#say("info", "connected to the engine", { endpoint, ...named, pool, programVersion });
    }
    this.#sayDrain();
    this.#ready.resolve();
  }

  #begin(welcome: HostWelcome, link: Link): HostSession {
    return new HostSession({
      ...{ env: this.#parts.env, protocol: this.#protocol, welcome, link },
      guest: (say, presence) => this.#makeGuest(say, presence),
      carried: (say) => this.#carried?.session(say),
    });
  }

  #lost(why: string): void {
    if (this.#state.is === "serving")
      this.#say("warn", "the connection to the engine is lost; connecting again", { why });
    this.#unlink();
    if (this.#state.is !== "over") this.#dialer.again();
  }

  /** The link is gone. A session waits for the next one as long as the engine does. */
  #unlink(): void {
    const state = this.#state;
    if (state.is === "greeting") this.#state = { is: "looking" };
    else if (state.is === "returning")
      this.#state = { is: "away", session: state.session, timer: state.timer };
    else if (state.is === "serving") {
      const { session, pulse } = state;
      pulse.stop();
      session.detach();
      const waitMs = session.welcome.resumeMs;
      const timer = this.#parts.env.timers.set(() => this.#forsake(), waitMs, { background: true });
      this.#state = { is: "away", session, timer };
    }
  }

  /** The session won't go on, and nor does a link whose Hello would take it up. */
  #forsake(): void {
    const link = this.#link;
    this.#giveUp();
    if (link !== undefined) {
      link.close(1000, "");
      this.#dialer.again();
    }
    // Nothing is left that could move.
    if (this.#drain !== undefined) this.close();
  }

  /** The engine may have started its actors elsewhere by now. */
  #giveUp(): void {
    const { size } = this;
    const line = "this host's actors were given up: they go on elsewhere, or here anew";
    if (size > 0) this.#say("warn", line, { actors: size });
    this.#become({ is: "looking" }, remoteErrors.engineLost());
  }

  /** A state without a session: nothing that runs here counts any more. */
  #become(next: State, error: TroupeError): void {
    const state = this.#state;
    this.#state = next;
    if ("timer" in state) this.#parts.env.timers.clear(state.timer);
    if ("pulse" in state) state.pulse.stop();
    if ("session" in state) state.session.end(error);
  }

  /** A line about this host, under the id that the engine knows it by. */
  #say(level: "info" | "warn", line: string, fields: LogFields = {}): void {
    this.#parts.env.log[level](line, { hostId: this.#session?.welcome.hostId, ...fields });
  }

  #makeGuest(send: ActorVoice, presence?: Presence): Guest {
    const { env, use, relay, runtimeSocket } = this.#parts;
    const failed = failureLog(env);
    return new Guest({ env, use, relay, runtimeSocket, send, failed, present: () => presence?.wait() });
  }

  #listen(link: Link, beatMs: number): Pulse {
    const silent = (): void => {
      link.close(GONE, "engine.silent");
      this.#lost("engine.silent");
    };
    return new Pulse({ env: this.#parts.env, beatMs, mostBeats: SILENT_BEATS, silent });
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
        resume: this.#session?.resumption(),
        serverless: serverless ?? false,
      },
    });
  }

  #sayDrain(): void {
    if (this.#drain === undefined || this.#state.is !== "serving") return;
    this.#send({ $case: "drain", value: { withinMs: this.#drain.withinMs } });
  }

  #send(body: NonNullable<HostToEngine["body"]>): void {
    this.#link?.send(encoded(body));
  }

  #end(error: TroupeError): void {
    if (this.#state.is === "over") return;
    const link = this.#link;
    this.#dialer.close(error);
    if (this.#drain !== undefined) this.#parts.env.timers.clear(this.#drain.timer);
    this.#become({ is: "over" }, error);
    this.#carried?.close();
    link?.close(1000, "");
    this.#ready.reject(error);
    this.#over.resolve();
  }
}
