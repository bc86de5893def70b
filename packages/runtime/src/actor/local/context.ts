/**
 * The contexts that user code is given. They hold no state of their own but what belongs to one call; everything is
 * asked of the activation, which refuses when it has ended.
 *
 * Code of an actor is not always its owner's own (plugins, isolates, what a model wrote): nothing of the runtime may be
 * reached from `c`, so the activation is behind a private name in each class, and what ends a call is no method.
 */
import type { Logger } from "@troupe/base";
import type { Client, Registry as ClientRegistry } from "@troupe/client";
import type { ActorConnection } from "../../ports/instance.ts";
import type { Occupation } from "../../queue/receiver.ts";
import type { ActorContext, Conn, ConnContext, SaveStateOptions } from "../types/context.ts";
import type { Database } from "../types/database.ts";
import type { ActorKv } from "../types/kv.ts";
import type { UntypedQueue } from "../types/queue.ts";
import type { ActorCron, Schedule } from "../types/schedule.ts";
import type { Activation } from "./activation.ts";
import { Connection } from "./connection.ts";
import { CronApi } from "./cron-api.ts";
import { databaseOf } from "./database-client.ts";
import { HandlerQueue } from "./handler-queue.ts";
import { KvApi } from "./kv-api.ts";
import { observed } from "./observed.ts";
import { ScheduleApi } from "./schedule-api.ts";

/** The handler whose context `c` is has ended; nothing happens for what is no context. */
export let releaseContext: (c: unknown, failed: boolean) => void;

/** `c` of hooks, `run` and of what has no connection. */
export class LocalContext implements ActorContext {
  readonly #activation: Activation;
  readonly #occupation: Occupation | undefined;
  #received: HandlerQueue | undefined;

  static {
    releaseContext = (c, failed) => {
      if (c instanceof LocalContext) c.#received?.end(failed);
    };
  }

  /** `occupation`: who is told when it waits for messages. */
  constructor(activation: Activation, occupation?: Occupation) {
    this.#activation = activation;
    this.#occupation = occupation;
  }

  get state(): unknown {
    return this.#activation.state.proxy;
  }

  set state(value: unknown) {
    this.#activation.state.replace(value);
  }

  get vars(): unknown {
    return this.#activation.vars;
  }

  set vars(value: unknown) {
    this.#activation.setVars(value);
  }

  get actorId(): string {
    return this.#activation.record.id;
  }

  get name(): string {
    return this.#activation.record.name;
  }

  get key(): string[] {
    return [...this.#activation.record.key];
  }

  get region(): string {
    return "local";
  }

  get conns(): ReadonlyMap<string, Conn> {
    return this.#activation.connections.conns;
  }

  get schedule(): Schedule {
    return new ScheduleApi(this.#activation);
  }

  get cron(): ActorCron {
    return new CronApi(this.#activation);
  }

  get kv(): ActorKv {
    return new KvApi(this.#activation.kv, this.#activation.log);
  }

  get queue(): UntypedQueue {
    this.#received ??= new HandlerQueue(this.#activation, this.#occupation);
    return this.#received.api;
  }

  get db(): Database {
    return databaseOf(this.#activation);
  }

  get log(): Logger {
    return this.#activation.log;
  }

  get abortSignal(): AbortSignal {
    return this.#activation.abort.signal;
  }

  get aborted(): boolean {
    return this.#activation.stopping;
  }

  get awakeReasons(): readonly string[] {
    return this.#activation.awakeReasons();
  }

  broadcast(name: string, ...args: readonly unknown[]): void {
    this.#activation.broadcast(name, args, true);
  }

  broadcastUnconfirmed(name: string, ...args: readonly unknown[]): void {
    this.#activation.broadcast(name, args, false);
  }

  snapshot(): unknown {
    return this.#activation.state.snapshot();
  }

  saveState(options?: SaveStateOptions): Promise<void> {
    return observed(this.#activation.saveState(options?.immediate === true));
  }

  keepAwake<R>(promise: Promise<R>): Promise<R> {
    this.#activation.work.track("keepAwake", promise);
    return promise;
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#activation.work.track("waitUntil", promise);
  }

  sleep(): void {
    this.#activation.requestStop("sleep");
  }

  destroy(): void {
    this.#activation.requestStop("destroy");
  }

  client<R extends ClientRegistry = ClientRegistry>(): Client<R> {
    return retyped<R>(this.#activation.client());
  }
}

/** The same client under the types of its user's registry: those exist at compile time alone. */
function retyped<R extends ClientRegistry>(client: Client): Client<R> {
  return client as Client<R>;
}

/** The call took too long: what it still writes counts, but nobody waits for it. */
export let abortCall: (c: CallContext, reason: unknown) => void;
/** The call has ended. */
export let releaseCall: (c: CallContext) => void;

/** What one call adds: whose it is, and an abort signal of its own for its time-out. */
export class CallContext extends LocalContext implements ConnContext {
  readonly #activation: Activation;
  readonly #caller: Caller;
  #abort: AbortController | undefined;
  #aborted = false;
  #reason: unknown;
  #released = false;
  #conn: Conn | undefined;

  static {
    abortCall = (c, reason) => c.#abortCall(reason);
    releaseCall = (c) => c.#release();
  }

  constructor(activation: Activation, caller: Caller) {
    super(activation);
    this.#activation = activation;
    this.#caller = caller;
  }

  get conn(): Conn {
    const connection = this.#caller.connection;
    if (connection instanceof Connection) return connection.conn;
    this.#conn ??= this.#activation.connections.stateless(this.#caller.params).conn;
    return this.#conn;
  }

  get request(): Request | undefined {
    return this.#caller.request?.();
  }

  override get abortSignal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#aborted) this.#abort.abort(this.#reason);
      else if (!this.#released) this.#activation.abort.follow(this.#abort);
    }
    return this.#abort.signal;
  }

  override get aborted(): boolean {
    return this.#aborted || super.aborted;
  }

  #abortCall(reason: unknown): void {
    this.#aborted = true;
    this.#reason = reason;
    this.#abort?.abort(reason);
  }

  #release(): void {
    releaseContext(this, false);
    this.#released = true;
    if (this.#abort !== undefined) this.#activation.abort.unfollow(this.#abort);
  }
}

/** Who calls. */
export interface Caller {
  readonly connection?: ActorConnection | undefined;
  readonly params?: unknown;
  readonly request?: (() => Request) | undefined;
}
