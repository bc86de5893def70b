/**
 * Connection: what `handle.connect()` gives, over as many links as it takes.
 *
 *   dialing ──▶ live ──▶ waiting ──▶ dialing …      a lost link, or one refused for now, is replaced
 *      │          │          │
 *      └──────────┴──────────┴──▶ ended             dispose(), a refusal that isn't retryable, or the actor's end
 *
 * What a call may expect of a lost link is written at `CallQueue`. Of events that their actor retains, a client that was
 * away gets those that it missed, once and in order; of others it is told of the gap, and asks the actor for what it needs.
 */
import { type TimerHandle, TroupeError } from "@troupe/base";
import { closeCodes, type Encoding } from "@troupe/protocol";
import type { ClientEnv } from "../env.ts";
import { clientErrors } from "../errors.ts";
import { connectedSend, sendOutcome } from "../queue-send.ts";
import { ActionResult } from "../stream/action-result.ts";
import type { ResultStream } from "../stream/result-stream.ts";
import type { Tickets } from "../tickets.ts";
import type { ActorTarget, ClientLink, ClientTransport } from "../transport.ts";
import type {
  ActionCall,
  ActorConnRaw,
  ActorConnStatus,
  EventUnsubscribe,
  Gap,
  QueueSendNoWaitOptions,
  QueueSendOptions,
  QueueSendResult,
  QueueSendWaitOptions,
} from "../types.ts";
import { CallQueue, type CallTimes } from "./call-queue.ts";
import { Callbacks } from "./callbacks.ts";
import { EventItems } from "./event-items.ts";
import type { ReconnectPolicy } from "./reconnect.ts";
import { Session, type SessionEnd, type SessionOwner } from "./session.ts";
import { Subscriptions } from "./subscriptions.ts";
import { Waits } from "./waits.ts";

/** What a connection is made of. */
export interface ConnectionParts {
  readonly env: ClientEnv;
  readonly transport: ClientTransport;
  readonly target: ActorTarget;
  readonly encoding: Encoding;
  readonly policy: ReconnectPolicy;
  readonly times: CallTimes;
  /** Asked again for each attempt. */
  readonly params: () => unknown;
  readonly tickets: Tickets;
  /** The connection will not come back. */
  readonly onEnded: () => void;
}

interface Dialing {
  readonly kind: "dialing";
  readonly abort: AbortController;
  readonly timer: TimerHandle;
}

type Phase =
  | { readonly kind: "idle" }
  | Dialing
  | { readonly kind: "live"; readonly session: Session }
  | { readonly kind: "waiting"; readonly stop: () => void }
  | { readonly kind: "ended"; readonly error: TroupeError; readonly closed: Promise<void> };

/** A connection that comes back by itself. */
export class Connection implements ActorConnRaw, SessionOwner {
  readonly #parts: ConnectionParts;
  readonly #calls: CallQueue;
  readonly #subscriptions: Subscriptions;
  readonly #ready = Promise.withResolvers<void>();
  readonly #onOpen = this.#callbacks<[]>("onOpen");
  readonly #onClose = this.#callbacks<[]>("onClose");
  readonly #onStatusChange = this.#callbacks<[ActorConnStatus]>("onStatusChange");
  readonly #onGap = this.#callbacks<[Gap]>("onGap");
  readonly #onError = new Callbacks<[TroupeError]>((error) =>
    this.#warn(clientErrors.listenerFailed("onError", error)),
  );
  readonly #loops = new Set<EventItems<unknown[]>>();
  #phase: Phase = { kind: "idle" };
  #status: ActorConnStatus = "idle";
  #lastId = 0;
  readonly #waits: Waits;

  constructor(parts: ConnectionParts) {
    this.#parts = parts;
    const { env, encoding, times, policy } = parts;
    this.#waits = new Waits(env, policy);
    this.#calls = new CallQueue({
      ...{ env, encoding, ...times, nextId: this.#nextId },
      control: (frame) => this.#phase.kind === "live" && this.#phase.session.control(frame),
    });
    this.#subscriptions = new Subscriptions((event, error) =>
      this.failed(clientErrors.listenerFailed(`event "${event}"`, error)),
    );
    // Not everybody waits for it.
    this.#ready.promise.catch(() => {});
  }

  /** Begins to connect. Once. */
  start(): void {
    this.#dial();
  }

  action<Response = unknown>(call: ActionCall): ActionResult<Response>;
  action<Args extends readonly unknown[], Response>(
    call: ActionCall & { readonly args: Args },
  ): ActionResult<Response>;
  action(call: ActionCall): ActionResult {
    const phase = this.#phase;
    if (phase.kind === "ended") return new ActionResult((_, reject) => reject(phase.error));
    const answer = this.#calls.add(call, [call.signal]);
    this.#flush();
    return answer;
  }

  send(name: string, body: unknown, options: QueueSendWaitOptions): Promise<QueueSendResult>;
  send(name: string, body: unknown, options?: QueueSendNoWaitOptions): Promise<void>;
  // biome-ignore lint/suspicious/noConfusingVoidType: the overloads above say when it is which
  async send(name: string, body: unknown, options: QueueSendOptions = {}): Promise<QueueSendResult | void> {
    if (this.#phase.kind === "ended") throw this.#phase.error;
    const answer = this.#calls.add(connectedSend(name, body, options, this.#parts.tickets), [options.signal]);
    this.#flush();
    const outcome = sendOutcome(await answer);
    if (outcome === undefined) throw clientErrors.outcomeUnknown(`The message for queue "${name}"`);
    return options.wait === true ? outcome : undefined;
  }

  on(event: string, listener: (...args: unknown[]) => void): EventUnsubscribe {
    const remove = this.#subscriptions.add(event, listener);
    this.#flush();
    return () => {
      remove();
      this.#flush();
    };
  }

  once(event: string, listener: (...args: unknown[]) => void): EventUnsubscribe {
    const remove = this.on(event, (...args) => {
      remove();
      listener(...args);
    });
    return remove;
  }

  events(event: string, { signal }: { readonly signal?: AbortSignal } = {}): ResultStream<unknown[]> {
    const items = new EventItems<unknown[]>(event, () => {
      remove();
      this.#loops.delete(items);
      signal?.removeEventListener("abort", abort);
    });
    const remove = this.on(event, (...args) => items.push(args));
    const abort = (): void => void items.stream.return();
    signal?.addEventListener("abort", abort);
    this.#loops.add(items);
    if (signal?.aborted === true) abort();
    if (this.#phase.kind === "ended") items.end();
    return items.stream;
  }

  onOpen(callback: () => void): EventUnsubscribe {
    return this.#onOpen.add(callback);
  }

  onClose(callback: () => void): EventUnsubscribe {
    return this.#onClose.add(callback);
  }

  onError(callback: (error: TroupeError) => void): EventUnsubscribe {
    return this.#onError.add(callback);
  }

  onStatusChange(callback: (status: ActorConnStatus) => void): EventUnsubscribe {
    return this.#onStatusChange.add(callback);
  }

  onGap(callback: (gap: Gap) => void): EventUnsubscribe {
    return this.#onGap.add(callback);
  }

  get connStatus(): ActorConnStatus {
    return this.#status;
  }

  get isConnected(): boolean {
    return this.#status === "connected";
  }

  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  reconnect(): void {
    if (this.#phase.kind !== "waiting") return;
    this.#phase.stop();
    this.#dial();
  }

  dispose(): Promise<void> {
    if (this.#phase.kind === "ended") {
      this.#setStatus("idle");
      return this.#phase.closed;
    }
    const error = clientErrors.disposed();
    const wasOpen = this.isConnected;
    const closed = this.#release(this.#phase);
    this.#phase = { kind: "ended", error, closed };
    this.#calls.failSent(error);
    this.#finish(error, "idle");
    if (wasOpen) this.#onClose.emit();
    return closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }

  /** A session's: the actor has accepted the connection. */
  welcomed(): void {
    this.#waits.welcomed();
    this.#setStatus("connected");
    const events = this.#subscriptions.gap();
    if (events.length > 0) this.#onGap.emit({ events });
    this.#onOpen.emit();
    this.#ready.resolve();
  }

  /** A session's: what came meanwhile is lost. */
  missed(events: readonly string[]): void {
    this.#onGap.emit({ events });
  }

  /** An error that belongs to no call. */
  failed(error: unknown): void {
    const known = TroupeError.is(error) ? error : clientErrors.connectFailed(error);
    if (this.#onError.size === 0) this.#warn(known);
    else this.#onError.emit(known);
  }

  /** A session's: its link is gone. */
  ended(end: SessionEnd): void {
    const wasOpen = this.isConnected;
    if (end.kind === "refused" && !end.error.retryable) return this.#endBecause(end.error);
    if (end.kind === "destroyed") {
      // Another one under the same key is another actor: whoever wants it connects to it.
      this.#calls.failSent(end.error);
      this.#endBecause(end.error);
      if (wasOpen) this.#onClose.emit();
      return;
    }
    if (end.kind === "lost") this.#calls.lost(end.cause);
    else this.#calls.requeueSent();
    this.#wait();
    if (wasOpen) this.#onClose.emit();
    // Refused for now, as by a server that stops: whoever doesn't listen needs to know no more than the status.
    if (end.kind === "refused") this.#onError.emit(end.error);
  }

  #dial(): void {
    const abort = new AbortController();
    const timer = this.#parts.env.timers.set(() => {
      this.#wait();
      abort.abort();
    }, this.#parts.policy.openTimeoutMs);
    const dialing: Dialing = { kind: "dialing", abort, timer };
    this.#phase = dialing;
    this.#setStatus("connecting");
    void this.#attempt(dialing);
  }

  async #attempt(dialing: Dialing): Promise<void> {
    try {
      const params = await this.#params();
      if (this.#phase !== dialing) return;
      const link = await this.#parts.transport.connect(this.#parts.target, { signal: dialing.abort.signal });
      if (this.#phase === dialing) this.#live(dialing, link, params);
      else link.close(closeCodes.normal, "");
    } catch (error) {
      if (this.#phase === dialing) this.#attemptFailed(dialing, error);
    }
  }

  async #params(): Promise<unknown> {
    try {
      return await this.#parts.params();
    } catch (error) {
      throw clientErrors.paramsFailed(error);
    }
  }

  #attemptFailed(dialing: Dialing, error: unknown): void {
    this.#parts.env.timers.clear(dialing.timer);
    const known = TroupeError.is(error) ? error : clientErrors.connectFailed(error);
    // What a user's getParams or a transport throws by mistake may pass; what an actor or gateway says is the answer.
    const passing = known.retryable || known.code === "params_failed" || known.code === "connect_failed";
    if (!passing) return this.#endBecause(known);
    this.#calls.unreachable(known);
    this.#wait();
    // An unreachable gateway shows in the status alone: it is no news at every attempt.
    if (!known.retryable) this.failed(known);
  }

  #live(dialing: Dialing, link: ClientLink, params: unknown): void {
    const { env, target, encoding, policy } = this.#parts;
    env.timers.clear(dialing.timer);
    const session = new Session({
      env,
      link,
      encoding,
      params,
      input: target.kind === "key" ? target.input : undefined,
      welcomeTimeoutMs: policy.welcomeTimeoutMs,
      calls: this.#calls,
      subscriptions: this.#subscriptions,
      nextId: this.#nextId,
      owner: this,
    });
    this.#phase = { kind: "live", session };
    try {
      session.start();
    } catch (error) {
      // Parameters that can't be encoded: no attempt will do better.
      void session.close();
      this.#endBecause(TroupeError.is(error) ? error : clientErrors.connectFailed(error));
    }
  }

  /** Waits before the next attempt. */
  #wait(): void {
    this.#phase = { kind: "waiting", stop: this.#waits.begin(() => this.#dial()) };
    this.#setStatus("disconnected");
  }

  /** The actor, the gateway or the parameters make every further attempt useless. */
  #endBecause(error: TroupeError): void {
    this.#phase = { kind: "ended", error, closed: Promise.resolve() };
    // Nothing behind a refused hello was acted on.
    this.#calls.requeueSent();
    this.#finish(error, "disconnected");
    this.failed(error);
  }

  #finish(error: TroupeError, status: ActorConnStatus): void {
    this.#calls.failQueued(error);
    for (const items of [...this.#loops]) items.end();
    this.#ready.reject(error);
    this.#parts.onEnded();
    this.#setStatus(status);
  }

  /** Lets go of what a phase holds; settles when its link is closed. */
  #release(phase: Phase): Promise<void> {
    const { timers } = this.#parts.env;
    switch (phase.kind) {
      case "live":
        return phase.session.close();
      case "dialing":
        phase.abort.abort();
        timers.clear(phase.timer);
        break;
      case "waiting":
        phase.stop();
        break;
      case "idle":
      case "ended":
        break;
    }
    return Promise.resolve();
  }

  #flush(): void {
    if (this.#phase.kind === "live") this.#phase.session.flush();
    this.#calls.watch();
  }

  #setStatus(status: ActorConnStatus): void {
    if (this.#status === status) return;
    this.#status = status;
    this.#onStatusChange.emit(status);
  }

  #callbacks<Args extends readonly unknown[]>(what: string): Callbacks<Args> {
    return new Callbacks<Args>((error) => this.failed(clientErrors.listenerFailed(what, error)));
  }

  #warn(error: TroupeError): void {
    this.#parts.env.log.warn(error.message, { code: `${error.group}.${error.code}`, cause: error.cause });
  }

  readonly #nextId = (): number => {
    this.#lastId += 1;
    return this.#lastId;
  };
}
