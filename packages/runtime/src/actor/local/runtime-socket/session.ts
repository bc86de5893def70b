/**
 * RuntimeSession: one process of the machine, connected to one actor.
 *
 *   opening ──hello──▶ serving ──▶ ended: the process, the actor, nonsense, or a process that doesn't read
 *      └── late, wrong token, another version ──▶ refused
 *
 * An answer leaves when what the actor had written before it is durable, as every output does; inside of a transaction nothing is
 * promised before its commit. Errors are told in full: the process works for the actor. While the process has too many requests under way, nothing more is read of it. However it ends,
 * its transactions are rolled back, and requests that had begun go on to their ends.
 */
import type { Env, TimerHandle } from "@troupe/base";
import { engineLimits, limits, toWireError } from "@troupe/protocol";
import type { LocalSocket } from "../../../ports/local-sockets.ts";
import { runtimeSocketErrors } from "../../../runtime-socket/errors.ts";
import {
  encodeFrame,
  type Fields,
  FrameReader,
  RUNTIME_SOCKET_VERSIONS,
} from "../../../runtime-socket/frames.ts";
import type { Activation } from "../activation.ts";
import { Leases } from "./leases.ts";
import { operate } from "./operations.ts";

/** What a session is made of. */
export interface RuntimeSessionParts {
  readonly env: Env;
  readonly activation: Activation;
  readonly socket: LocalSocket;
  readonly token: string;
  /** Once, when it has ended. */
  readonly ended: (session: RuntimeSession) => void;
}

/** One connected process. */
export class RuntimeSession {
  readonly #parts: RuntimeSessionParts;
  readonly #frames = new FrameReader();
  readonly #leases = new Leases();
  readonly #late: TimerHandle;
  readonly #over = Promise.withResolvers<void>();
  /** Numbers of requests without an answer. */
  readonly #open = new Set<number>();
  #phase: "opening" | "serving" | "ended" = "opening";

  constructor(parts: RuntimeSessionParts) {
    this.#parts = parts;
    const late = (): void => this.refuse(runtimeSocketErrors.noHello(limits.helloTimeoutMs));
    this.#late = parts.env.timers.set(late, limits.helloTimeoutMs, { background: true });
    parts.socket.attach({ data: (bytes) => this.#data(bytes), closed: () => this.#end() });
  }

  /** Says why, and ends it. */
  refuse(error: unknown): void {
    if (this.#phase === "ended") return;
    this.#say({ kind: "refused", error: toWireError(error, true) });
    this.#parts.socket.end();
    this.#end();
  }

  #data(bytes: Uint8Array): void {
    try {
      for (const message of this.#frames.read(bytes)) {
        if (this.#phase === "ended") return;
        if (this.#phase === "opening") this.#hello(message);
        else this.#request(message);
      }
    } catch (cause) {
      this.refuse(cause);
    }
  }

  #hello({ kind, versions, token }: Fields): void {
    const { env, activation } = this.#parts;
    if (kind !== "hello" || !Array.isArray(versions) || typeof token !== "string")
      throw runtimeSocketErrors.malformed("hello is the first message");
    const utf8 = new TextEncoder();
    if (!env.crypto.timingSafeEqual(utf8.encode(this.#parts.token), utf8.encode(token)))
      throw runtimeSocketErrors.wrongToken();
    const version = Math.max(0, ...RUNTIME_SOCKET_VERSIONS.filter((known) => versions.includes(known)));
    if (version === 0) throw runtimeSocketErrors.version(RUNTIME_SOCKET_VERSIONS);
    env.timers.clear(this.#late);
    this.#phase = "serving";
    // Whoever has it open is at work for the actor.
    activation.work.track("keepAwake", this.#over.promise);
    const { id, name, key } = activation.record;
    this.#say({ kind: "welcome", version, actorId: id, name, key: [...key] });
  }

  #request(message: Fields): void {
    const { kind, id } = message;
    if (kind !== "request" || typeof id !== "number") throw runtimeSocketErrors.malformed("it is no request");
    if (this.#open.has(id)) throw runtimeSocketErrors.malformed(`request ${id} is under way already`);
    this.#open.add(id);
    if (this.#open.size >= engineLimits.runtimeSocketRequests) this.#parts.socket.pause();
    void this.#answer(id, message);
  }

  async #answer(id: number, message: Fields): Promise<void> {
    let answer: Fields;
    try {
      const value = await operate({ activation: this.#parts.activation, leases: this.#leases }, message);
      if (this.#leases.none) await this.#parts.activation.departure();
      answer = { kind: "answer", id, value };
    } catch (cause) {
      answer = { kind: "answer", id, error: toWireError(cause, true) };
    }
    this.#open.delete(id);
    if (this.#phase === "ended") return;
    this.#say(answer);
    this.#parts.socket.resume();
  }

  #say(message: Fields): void {
    const { socket } = this.#parts;
    socket.write(frameOf(message));
    // It doesn't read: nothing is kept for it any more.
    if (socket.bufferedBytes <= engineLimits.runtimeSocketUnreadBytes) return;
    socket.destroy();
    this.#end();
  }

  #end(): void {
    if (this.#phase === "ended") return;
    this.#phase = "ended";
    this.#parts.env.timers.clear(this.#late);
    this.#leases.end();
    this.#over.resolve();
    this.#parts.ended(this);
  }
}

/** One that is too long fails its request, and not the connection: the work was done. */
function frameOf(message: Fields): Uint8Array {
  try {
    return encodeFrame(message);
  } catch (cause) {
    return encodeFrame({ kind: "answer", id: message["id"], error: toWireError(cause, true) });
  }
}
