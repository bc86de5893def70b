/**
 * EngineSession: the engine's end of one remote host.
 *
 *   open ──link lost──▶ away ──the host is here again──▶ open
 *     │                  └── too late ──┐
 *     └── closed by the host, silent, or nonsense ──▶ over
 *
 * The running instances of the host's actors share the session, each under a number that is never used again: what a host
 * says of a number that isn't running any more (it was frozen, and its actors were moved) changes nothing, and it is told
 * so.
 *
 * A lost link ends nothing by itself. For a moment the session waits for its host: what is said meanwhile is kept
 * (`frame-stream.ts`), no new instance is placed there, and when the host says Hello on another link everything goes on
 * where it was. A host whose earlier link isn't known to be lost here may come as well; each of its links has a higher
 * number than the one before, and only the newest counts. A host that says good-bye isn't waited for.
 */

import { type Env, type TimerHandle, TroupeError } from "@troupe/base";
import { engineLimits, limits } from "@troupe/protocol";
import { CarriedStopReason, type FromActor } from "@troupe/protocol/actor/v1";
import {
  type EngineToHost,
  type HostHello,
  type HostResume,
  type HostToEngine,
  HostToEngineCodec,
} from "@troupe/protocol/host/v1";
import { engineErrors } from "../engine/errors.ts";
import { PROCESS_POOL } from "../engine/pool.ts";
import type {
  ActorCarrier,
  ActorEar,
  ActorLine,
  ActorSaying,
  ActorWord,
  CarriedDeclaration,
  SqlTurns,
} from "../ports/carried.ts";
import type { Link, LinkHandler, Message } from "../ports/transport.ts";
import { FINAL, GONE } from "./close-codes.ts";
import { checkMessage, type HostProtocol } from "./compatibility.ts";
import { engineFrame, fencedAnswer, wordsIn } from "./engine-frames.ts";
import { remoteErrors } from "./errors.ts";
import { FrameStream } from "./frame-stream.ts";
import { HostDrain } from "./host-drain.ts";
import { HostedActor } from "./hosted-actor.ts";
import { tellToLeave } from "./leaving.ts";
import { refuse } from "./opening-link.ts";
import { placeOf } from "./placement.ts";
import { SqlWorkers } from "./sql-workers.ts";

/** What a session needs of its engine. */
export interface EngineSessionParts {
  readonly env: Env;
  readonly link: Link;
  readonly protocol: HostProtocol;
  readonly hello: HostHello;
  /** The id of its namespace. */
  readonly namespace: string;
  /** What it has. */
  readonly actors: ReadonlyMap<string, CarriedDeclaration>;
  /** The version that both speak. */
  readonly version: number;
  /** It is there again: who waits for a host may look. */
  readonly changed: () => void;
  /** It is gone; nothing more comes. */
  readonly ended: (session: EngineSession) => void;
}

/** A running instance, as the session knows it. */
interface Instance {
  readonly ear: ActorEar;
  readonly leave: () => void;
}

/** One remote host. */
export class EngineSession {
  readonly id: string;
  /** The id of its namespace. */
  readonly namespace: string;
  /** What its host calls that. */
  readonly said: string;
  readonly pool: string;
  /** The pool, as placement knows it. */
  readonly place: string;
  /** The program's version. */
  readonly program: number;
  /** It lasts as long as a request that somebody made. */
  readonly serverless: boolean;
  readonly #parts: EngineSessionParts;
  readonly #carriers = new Map<string, HostedActor>();
  readonly #ears = new Map<number, Instance>();
  readonly #stream: FrameStream;
  readonly #workers: SqlWorkers;
  #phase: "open" | "away" | "over" = "open";
  #link: Link;
  /** Which of its links the session has. */
  #epoch = 1;
  readonly #version: number;
  #lastInstance = 0;
  /** Actors that are to be started here and have no line yet. Those that never come are forgotten with the next beat. */
  #promised = 0;
  #heardAt: number;
  #watch: TimerHandle | undefined;
  #drain: HostDrain | undefined;

  constructor(parts: EngineSessionParts) {
    const { env, hello, link } = parts;
    this.#parts = parts;
    this.id = env.ids.ordered();
    this.namespace = parts.namespace;
    this.said = hello.namespace;
    this.pool = poolOf(hello);
    this.place = placeOf(parts.namespace, this.pool);
    this.program = hello.programVersion;
    this.serverless = hello.serverless;
    this.#version = parts.version;
    this.#heardAt = env.clock.monotonic();
    for (const [name, declaration] of parts.actors)
      this.#carriers.set(name, new HostedActor(this, declaration));
    this.#workers = new SqlWorkers(env);
    this.#stream = new FrameStream({
      keeps: hello.resumes,
      acknowledge: (received) => engineFrame({ $case: "acknowledge", value: { received } }),
    });
    this.#link = link;
    this.#stream.attach(link);
    link.attach(this.#handlerOf(link));
    this.#welcome(false);
  }

  /** The host is there, and takes new instances. */
  get open(): boolean {
    return this.#phase === "open" && this.#drain === undefined;
  }

  get state(): "open" | "away" | "draining" | "over" {
    return this.#phase === "open" && this.#drain !== undefined ? "draining" : this.#phase;
  }

  /** The names of its actors. */
  get actors(): readonly string[] {
    return [...this.#carriers.keys()];
  }

  /** Instances that run on it. */
  get load(): number {
    return this.#ears.size;
  }

  /** Instances that run on it or are on their way to it: many actors that wake at once see each other so. */
  get weight(): number {
    return this.#ears.size + this.#promised;
  }

  /** An actor is to be started here. */
  promise(): void {
    this.#promised += 1;
  }

  /** The way to one of its actors; undefined when it has none of the name. */
  carrier(name: string): ActorCarrier | undefined {
    return this.#carriers.get(name);
  }

  /** An activation's share of the workers for SQL. */
  sqlTurns(): SqlTurns {
    return this.#workers.share();
  }

  /** A running instance's line. */
  connect(ear: ActorEar, leave: () => void = () => {}): ActorLine {
    const { env } = this.#parts;
    if (this.#phase === "over") {
      // It was placed before the host had gone.
      env.afterTurn(() => ear.lost(remoteErrors.hostLost(this.id)));
      return { send: () => {}, close: () => {} };
    }
    this.#lastInstance += 1;
    this.#promised = Math.max(0, this.#promised - 1);
    const instance = this.#lastInstance;
    this.#ears.set(instance, { ear, leave });
    // It was placed before anybody wanted the host to go.
    if (this.#drain !== undefined) env.afterTurn(leave);
    return {
      send: (word) => this.#sendWord(instance, word),
      close: () => {
        this.#ears.delete(instance);
        this.#drain?.look();
      },
    };
  }

  /**
   * No new instances, and those that are there go on elsewhere. Settles when none is left and the host was told that it may
   * stop; what hasn't left in `withinMs` is lost with it.
   */
  drain(withinMs: number): Promise<void> {
    this.#drain ??= new HostDrain({
      env: this.#parts.env,
      withinMs,
      instances: this.#ears,
      empty: () => this.#send({ $case: "drain", value: { withinMs: 0 } }),
      late: () => this.#giveUp(remoteErrors.hostLost(this.id), "host.drained"),
    });
    return this.#drain.done;
  }

  /** Tells so many instances to go on elsewhere: those that came last, which were there the shortest. */
  shed(count: number): void {
    tellToLeave(this.#parts.env, this.#ears, [...this.#ears.keys()].slice(-count));
  }

  /** Takes up the session on another link. False when that can't be: then it is over. Throws `host.superseded`. */
  resume(resume: HostResume, link: Link, version: number): boolean {
    if (resume.epoch <= this.#epoch) throw engineErrors.superseded(this.id);
    const whole = this.#stream.canResume(resume.received) && resume.forgotten <= this.#stream.received;
    if (!whole || version !== this.#version) {
      this.#giveUp(remoteErrors.hostLost(this.id));
      return false;
    }
    const { env } = this.#parts;
    const before = this.#link;
    this.#epoch = resume.epoch;
    this.#link = link;
    this.#heardAt = env.clock.monotonic();
    this.#phase = "open";
    // It may be open at this end: what it still brings is nobody's.
    before.close(GONE, "host.superseded");
    link.attach(this.#handlerOf(link));
    this.#welcome(true);
    this.#stream.resume(link, resume.received);
    this.#drain?.look();
    this.#parts.changed();
    return true;
  }

  /** The engine stops. A host waits for the next one, unless it is a process of the same program. */
  close(): void {
    if (this.pool === PROCESS_POOL) this.#send({ $case: "drain", value: { withinMs: 0 } });
    this.#giveUp(remoteErrors.hostLost(this.id), "engine.stopping");
  }

  /** What an earlier link still brings is nobody's. */
  #handlerOf(link: Link): LinkHandler {
    return {
      message: (data) => {
        if (this.#link === link) this.#message(data);
      },
      closed: (code) => {
        if (this.#link === link) this.#closed(code);
      },
    };
  }

  #message(data: Message): void {
    if (this.#phase !== "open") return;
    this.#heardAt = this.#parts.env.clock.monotonic();
    try {
      if (typeof data === "string") throw remoteErrors.malformed("text");
      this.#receive(HostToEngineCodec.decode(data), data.byteLength);
    } catch (cause) {
      const error = TroupeError.is(cause) ? cause : remoteErrors.malformed(String(cause));
      const fields = { hostId: this.id, error: `${error.group}.${error.code}`, why: error.message };
      this.#parts.env.log.warn("a remote host was refused", fields);
      refuse(this.#link, error);
      this.#end(error);
    }
  }

  #receive({ body }: HostToEngine, bytes: number): void {
    switch (body?.$case) {
      case "actor":
        this.#stream.heard(bytes);
        return this.#fromActor(body.value);
      case "heartbeat":
      case "acknowledge":
        return this.#stream.acknowledged(body.value.received);
      case "drain":
        return void this.drain(body.value.withinMs);
      case "hello":
        throw remoteErrors.malformed("a second Hello");
      case undefined:
        throw remoteErrors.malformed("an empty message");
    }
  }

  #welcome(resumed: boolean): void {
    this.#beat();
    this.#send({
      $case: "welcome",
      value: {
        version: this.#version,
        hostId: this.id,
        heartbeatMs: limits.hostHeartbeatMs,
        resumed,
        received: this.#stream.tells(),
        resumeMs: limits.hostResumeMs,
      },
    });
  }

  #fromActor({ instance, body }: FromActor): void {
    if (body === undefined) return;
    const ear = this.#ears.get(instance)?.ear;
    if (ear === undefined) this.#fenced(instance, body);
    else ear.heard(body);
  }

  /** Said by an instance that doesn't run any more: nothing of it counts. */
  #fenced(instance: number, saying: ActorSaying): void {
    if (saying.$case === "ask") {
      this.#sendWord(instance, fencedAnswer(instance, saying.value));
    } else if (saying.$case === "write") {
      this.#sendWord(instance, { $case: "stop", value: { reason: CarriedStopReason.BROKEN, graceMs: 0 } });
    }
  }

  #sendWord(instance: number, word: ActorWord): void {
    if (this.#phase === "over") return;
    try {
      checkMessage(this.#parts.protocol, "engine_to_host", word.$case, this.#version);
    } catch (cause) {
      // Only this instance needs it: the others, and the link, go on.
      this.#ears.get(instance)?.ear.lost(TroupeError.is(cause) ? cause : remoteErrors.hostLost(this.id));
      this.#ears.delete(instance);
      return;
    }
    this.#stream.say(engineFrame({ $case: "actor", value: { instance, body: word } }));
    // It may say that it lives, and read nothing: what is meant for it isn't kept for ever.
    if (this.#link.bufferedBytes > engineLimits.hostUnsentBytes)
      this.#giveUp(remoteErrors.hostLost(this.id), "host.reads_nothing");
  }

  #send(body: NonNullable<EngineToHost["body"]>): void {
    this.#link.send(engineFrame(body));
  }

  /**
   * Asks for a sign of life, and gives a host up that has left two beats without one when the third is due. An engine that was
   * away itself (a long turn, a machine that slept) has read nothing meanwhile: the host's time begins anew.
   */
  #beat(): void {
    const { env } = this.#parts;
    this.#promised = 0;
    const dueAt = env.clock.monotonic() + limits.hostHeartbeatMs;
    this.#rearm(() => this.#look(dueAt), limits.hostHeartbeatMs);
  }

  #look(dueAt: number): void {
    const now = this.#parts.env.clock.monotonic();
    if (now - dueAt > limits.hostHeartbeatMs) this.#heardAt = now;
    if (now - this.#heardAt > 2.5 * limits.hostHeartbeatMs) {
      this.#giveUp(remoteErrors.hostLost(this.id), "host.silent");
      return;
    }
    this.#send({ $case: "heartbeat", value: { number: 0, received: this.#stream.tells() } });
    this.#beat();
  }

  /** One that breaks may be followed by another one; a host that closes it has gone. */
  #closed(code: number): void {
    if (this.#phase !== "open") return;
    const error = remoteErrors.hostLost(this.id);
    if (!this.#parts.hello.resumes || FINAL.has(code)) return this.#end(error);
    this.#phase = "away";
    this.#stream.detach();
    this.#rearm(() => this.#end(error), limits.hostResumeMs);
  }

  #rearm(task: () => void, delayMs: number): void {
    const { timers } = this.#parts.env;
    if (this.#watch !== undefined) timers.clear(this.#watch);
    this.#watch = timers.set(task, delayMs, { background: true });
  }

  #giveUp(error: TroupeError, reason = "host.lost"): void {
    this.#link.close(GONE, reason);
    this.#end(error);
  }

  #end(error: TroupeError): void {
    if (this.#phase === "over") return;
    this.#phase = "over";
    if (this.#watch !== undefined) this.#parts.env.timers.clear(this.#watch);
    this.#carriers.clear();
    // What was never on any link: nothing of it was done.
    const unsent = wordsIn(this.#stream.unsent);
    const ears = [...this.#ears];
    this.#ears.clear();
    for (const [instance, { ear }] of ears) ear.lost(error, unsent.get(instance));
    this.#drain?.over();
    this.#parts.ended(this);
  }
}

/** The pool that a host names. */
export function poolOf({ pool }: Pick<HostHello, "pool">): string {
  return pool || "default";
}
