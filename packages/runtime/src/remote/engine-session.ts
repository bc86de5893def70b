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
import { HostedInstances } from "./hosted-instances.ts";
import { tellToLeave } from "./leaving.ts";
import { refuse } from "./opening-link.ts";
import { placeOf } from "./placement.ts";
import { Pulse } from "./pulse.ts";
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

/** Where a session stands, each with what ends with it. */
type Phase =
  /** The host is given up when it is silent. */
  | { readonly is: "open"; readonly pulse: Pulse }
  /** It is given up when the timer fires. */
  | { readonly is: "away"; readonly timer: TimerHandle }
  | { readonly is: "over" };

/** A host that has left two beats without a sign of life is given up when the third is due. */
const SILENT_BEATS = 2.5;

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
  readonly #instances = new HostedInstances();
  readonly #stream: FrameStream;
  readonly #workers: SqlWorkers;
  #phase: Phase;
  #link: Link;
  /** Which of its links the session has. */
  #epoch = 1;
  readonly #version: number;
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
    for (const [name, declaration] of parts.actors)
      this.#carriers.set(name, new HostedActor(this, declaration));
    this.#workers = new SqlWorkers(env);
    this.#stream = new FrameStream({
      keeps: hello.resumes,
      acknowledge: (received) => engineFrame({ $case: "acknowledge", value: { received } }),
    });
    this.#link = link;
    this.#phase = { is: "open", pulse: this.#listen() };
    this.#stream.attach(link);
    link.attach(this.#handlerOf(link));
    this.#welcome(false);
  }

  /** The host is there, and takes new instances. */
  get open(): boolean {
    return this.state === "open";
  }

  get state(): "open" | "away" | "draining" | "over" {
    const { is } = this.#phase;
    return is === "open" && this.#drain !== undefined ? "draining" : is;
  }

  /** The names of its actors. */
  get actors(): readonly string[] {
    return [...this.#carriers.keys()];
  }

  /** Instances that run on it. */
  get load(): number {
    return this.#instances.running.size;
  }

  /** Instances that run on it or are on their way to it. */
  get weight(): number {
    return this.#instances.weight;
  }

  /** An actor is to be started here. */
  promise(): void {
    this.#instances.promise();
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
    if (this.#phase.is === "over") {
      // It was placed before the host had gone.
      env.afterTurn(() => ear.lost(remoteErrors.hostLost(this.id)));
      return { send: () => {}, close: () => {} };
    }
    const instance = this.#instances.add({ ear, leave });
    // It was placed before anybody wanted the host to go.
    if (this.#drain !== undefined) env.afterTurn(leave);
    return {
      send: (word) => this.#sendWord(instance, word),
      close: () => {
        this.#instances.delete(instance);
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
      instances: this.#instances.running,
      empty: () => this.#send({ $case: "drain", value: { withinMs: 0 } }),
      late: () => this.#giveUp(remoteErrors.hostLost(this.id), "host.drained"),
    });
    return this.#drain.done;
  }

  /** Tells so many instances to go on elsewhere: those that came last, which were there the shortest. */
  shed(count: number): void {
    const { running } = this.#instances;
    tellToLeave(this.#parts.env, running, [...running.keys()].slice(-count));
  }

  /** Takes up the session on another link. False when that can't be: then it is over. Throws `host.superseded`. */
  resume(resume: HostResume, link: Link, version: number): boolean {
    if (resume.epoch <= this.#epoch) throw engineErrors.superseded(this.id);
    const whole = this.#stream.canResume(resume.received) && resume.forgotten <= this.#stream.received;
    if (!whole || version !== this.#version) {
      this.#giveUp(remoteErrors.hostLost(this.id));
      return false;
    }
    const before = this.#link;
    this.#epoch = resume.epoch;
    this.#link = link;
    this.#become({ is: "open", pulse: this.#listen() });
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
    if (this.#phase.is !== "open") return;
    this.#phase.pulse.heard();
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
    const ear = this.#instances.ear(instance);
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
    if (this.#phase.is === "over") return;
    try {
      checkMessage(this.#parts.protocol, "engine_to_host", word.$case, this.#version);
    } catch (cause) {
      // Only this instance needs it: the others, and the link, go on.
      const ear = this.#instances.ear(instance);
      this.#instances.delete(instance);
      ear?.lost(TroupeError.is(cause) ? cause : remoteErrors.hostLost(this.id));
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

  #listen(): Pulse {
    return new Pulse({
      env: this.#parts.env,
      beatMs: limits.hostHeartbeatMs,
      mostBeats: SILENT_BEATS,
      beat: () => this.#beat(),
      silent: () => this.#giveUp(remoteErrors.hostLost(this.id), "host.silent"),
    });
  }

  /** Asks for a sign of life. */
  #beat(): void {
    this.#instances.forgetPromised();
    this.#send({ $case: "heartbeat", value: { number: 0, received: this.#stream.tells() } });
  }

  /** One that breaks may be followed by another one; a host that closes it has gone. */
  #closed(code: number): void {
    if (this.#phase.is !== "open") return;
    const error = remoteErrors.hostLost(this.id);
    const { env, hello } = this.#parts;
    if (!hello.resumes || FINAL.has(code)) return this.#end(error);
    const timer = env.timers.set(() => this.#end(error), limits.hostResumeMs, { background: true });
    this.#become({ is: "away", timer });
    this.#stream.detach();
  }

  #become(phase: Phase): void {
    const before = this.#phase;
    this.#phase = phase;
    if (before.is === "open") before.pulse.stop();
    else if (before.is === "away") this.#parts.env.timers.clear(before.timer);
  }

  #giveUp(error: TroupeError, reason = "host.lost"): void {
    this.#link.close(GONE, reason);
    this.#end(error);
  }

  #end(error: TroupeError): void {
    if (this.#phase.is === "over") return;
    this.#become({ is: "over" });
    this.#carriers.clear();
    // What was never on any link: nothing of it was done.
    const unsent = wordsIn(this.#stream.unsent);
    for (const [instance, { ear }] of this.#instances.takeAll()) ear.lost(error, unsent.get(instance));
    this.#drain?.over();
    this.#parts.ended(this);
  }
}

/** The pool that a host names. */
export function poolOf({ pool }: Pick<HostHello, "pool">): string {
  return pool || "default";
}
