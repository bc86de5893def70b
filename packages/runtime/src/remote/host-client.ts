/**
 * HostClient: the remote host's end. It runs actors for an engine elsewhere and has no disk of its own.
 *
 *   connecting ──Welcome──▶ serving ──link lost──▶ connecting, with a wait that doubles
 *        └── Refused ──▶ over
 *
 * An engine has a limited time from the dial to its Welcome: a machine that swallows packets, or a process that accepts
 * and says nothing, is given up like one that refuses the connection.
 *
 * When the link is lost, everything that runs here ends at once, and nothing of it is stored: the engine starts the
 * actors somewhere else as soon as it notices, and only one of both may write.
 */
import type { Env, TimerHandle, TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { encodeDeclaration, fromCarriedError } from "@troupe/protocol/actor/v1";
import {
  type EngineToHost,
  EngineToHostCodec,
  type HostToEngine,
  HostToEngineCodec,
  type HostWelcome,
} from "@troupe/protocol/host/v1";
import type { Relay } from "@troupe/relay";
import type { AnyActorDefinition } from "../actor/definition.ts";
import { Guest } from "../guest/guest.ts";
import type { Link, LinkHandler, Message } from "../ports/transport.ts";
import { checkMessage, type HostProtocol, hostProtocol } from "./compatibility.ts";
import { remoteErrors } from "./errors.ts";

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 5_000;

/** What a remote host is made of. */
export interface HostClientParts {
  readonly env: Env;
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  readonly token: string;
  readonly pool: string;
  /** Opens a link to the engine. `signal` fires when it took too long. */
  readonly dial: (signal: AbortSignal) => Promise<Link>;
  /** What its actors' own calls run under. */
  readonly relay?: Relay | undefined;
  /** For tests of compatibility. */
  readonly protocol?: HostProtocol;
}

/** One way to a Welcome. */
interface Attempt {
  readonly abort: AbortController;
  readonly timer: TimerHandle;
}

/** A host of an engine that is elsewhere. */
export class HostClient {
  readonly #parts: HostClientParts;
  readonly #protocol: HostProtocol;
  readonly #ready = Promise.withResolvers<void>();
  readonly #over = Promise.withResolvers<void>();
  #guest: Guest;
  #link: Link | undefined;
  #welcome: HostWelcome | undefined;
  #retryMs = FIRST_RETRY_MS;
  #retry: TimerHandle | undefined;
  /** From the dial to the Welcome. */
  #attempt: Attempt | undefined;
  #closed = false;
  /** Monotonic time of the engine's last message. */
  #heardAt = 0;

  constructor(parts: HostClientParts) {
    this.#parts = parts;
    this.#protocol = parts.protocol ?? hostProtocol;
    this.#guest = this.#makeGuest();
    this.#ready.promise.catch(() => {});
    void this.#dial();
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
    return this.#guest.size;
  }

  #message(data: Message): void {
    this.#heardAt = this.#parts.env.clock.monotonic();
    const body = typeof data === "string" ? undefined : bodyOf(data);
    switch (body?.$case) {
      case "welcome":
        this.#endAttempt();
        this.#welcome = body.value;
        this.#listen(body.value.heartbeatMs);
        this.#retryMs = FIRST_RETRY_MS;
        this.#ready.resolve();
        return;
      case "actor":
        this.#guest.receive(body.value);
        return;
      case "heartbeat":
        this.#send({ $case: "heartbeat", value: body.value });
        return;
      case "refused": {
        const error = body.value.error;
        this.#end(error === undefined ? remoteErrors.refused() : fromCarriedError(error, "cbor"));
        return;
      }
      default:
        return;
    }
  }

  #lost(): void {
    this.#endAttempt();
    this.#link = undefined;
    this.#welcome = undefined;
    this.#guest.lost(remoteErrors.engineLost());
    this.#guest = this.#makeGuest();
    if (!this.#closed) this.#again();
  }

  /** Asks the engine to start no more actors here. Throws `ProtocolCompatibilityError`. */
  drain(withinMs: number): void {
    this.#check("drain");
    this.#send({ $case: "drain", value: { withinMs } });
  }

  /** Ends the host; what runs here is lost. */
  close(): void {
    this.#end(remoteErrors.engineLost());
  }

  /** What an earlier link still brings is nobody's. */
  #handlerOf(link: Link): LinkHandler {
    return {
      message: (data) => {
        if (this.#link === link) this.#message(data);
      },
      closed: () => {
        if (this.#link === link) this.#lost();
      },
    };
  }

  #makeGuest(): Guest {
    const { env, use, relay } = this.#parts;
    return new Guest({
      env,
      use,
      relay,
      send: (message) => this.#send({ $case: "actor", value: message }),
    });
  }

  async #dial(): Promise<void> {
    const attempt = this.#beginAttempt();
    try {
      const link = await this.#parts.dial(attempt.abort.signal);
      if (this.#attempt !== attempt) {
        // It came too late, or the host is closed.
        link.close(1000, "");
        return;
      }
      this.#link = link;
      link.attach(this.#handlerOf(link));
      this.#hello();
    } catch (cause) {
      if (this.#attempt === attempt) this.#failed(cause);
    }
  }

  #beginAttempt(): Attempt {
    const late = (): void => this.#late();
    const timer = this.#parts.env.timers.set(late, limits.hostDialMs, { background: true });
    this.#attempt = { abort: new AbortController(), timer };
    return this.#attempt;
  }

  #endAttempt(): void {
    if (this.#attempt !== undefined) this.#parts.env.timers.clear(this.#attempt.timer);
    this.#attempt = undefined;
  }

  /** No Welcome came in time. */
  #late(): void {
    const error = remoteErrors.engineTimedOut(limits.hostDialMs);
    const link = this.#link;
    this.#link = undefined;
    this.#attempt?.abort.abort(error);
    link?.close(1001, "host.engine_timed_out");
    this.#failed(error);
  }

  #failed(cause: unknown): void {
    this.#endAttempt();
    this.#parts.env.log.warn("the engine can't be reached; trying again", { cause, waitMs: this.#retryMs });
    this.#again();
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
          this.#lost();
        }
      },
      heartbeatMs,
      { background: true },
    );
  }

  #again(): void {
    if (this.#retry !== undefined) return;
    const waitMs = this.#retryMs * (0.5 + this.#parts.env.random() / 2);
    this.#retryMs = Math.min(this.#retryMs * 2, LONGEST_RETRY_MS);
    this.#retry = this.#parts.env.timers.set(() => {
      this.#retry = undefined;
      void this.#dial();
    }, waitMs);
  }

  #hello(): void {
    const { token, pool } = this.#parts;
    this.#send({
      $case: "hello",
      value: {
        versions: this.#protocol.versions,
        token,
        namespace: "",
        pool,
        programVersion: 0,
        actors: this.#guest.declarations.map(encodeDeclaration),
      },
    });
  }

  #check(feature: Parameters<typeof checkMessage<"host_to_engine">>[2]): void {
    checkMessage(this.#protocol, "host_to_engine", feature, this.#welcome?.version ?? 0);
  }

  #send(body: NonNullable<HostToEngine["body"]>): void {
    this.#link?.send(HostToEngineCodec.encode({ body }).finish());
  }

  #end(error: TroupeError): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#retry !== undefined) this.#parts.env.timers.clear(this.#retry);
    this.#attempt?.abort.abort(error);
    this.#endAttempt();
    this.#guest.lost(error);
    this.#link?.close(1000, "");
    this.#link = undefined;
    this.#ready.reject(error);
    this.#over.resolve();
  }
}

/** What a message says; nothing when it can't be read: then it is from an engine that this host can't work for. */
function bodyOf(data: Uint8Array): EngineToHost["body"] {
  try {
    return EngineToHostCodec.decode(data).body;
  } catch {
    return undefined;
  }
}
