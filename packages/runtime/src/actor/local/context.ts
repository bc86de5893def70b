/**
 * The contexts that user code is given. They hold no state of their own but what belongs to one call; everything is
 * asked of the activation, which refuses when it has ended.
 *
 * Code of an actor is not always its owner's own (plugins, isolates, what a model wrote): nothing of the runtime may be
 * reached from `c`, so the activation is behind a private name in each class, and a call's own matters are in its run (`call-run.ts`).
 */

import type { Client, Registry as ClientRegistry } from "@troupe/client";
import type {
  LlmCallOptions,
  LlmFunction,
  LlmRequest,
  LlmStreamFunction,
  LlmStreamOptions,
  Measurement,
  Metadata,
  Scope,
  ToolCallOptions,
} from "@troupe/relay";
import { observed } from "../../ports/observed.ts";
import type { Occupation } from "../../queue/receiver.ts";
import type { ActorLogger } from "../types/actor-log.ts";
import type { ActorContext, Conn, ConnContext, SaveStateOptions } from "../types/context.ts";
import type { DatabaseAccess } from "../types/database.ts";
import type { ActorKv } from "../types/kv.ts";
import type { UntypedQueue } from "../types/queue.ts";
import type { LlmChunks, MarkOptions, ToolCode } from "../types/relay.ts";
import type { RuntimeSocketAddress } from "../types/runtime-socket.ts";
import type { ActorCron, Schedule } from "../types/schedule.ts";
import type { ActorWorkflows } from "../types/workflow.ts";
import type { Activation } from "./activation.ts";
import { ActorLog } from "./actor-log.ts";
import { awakeReasons } from "./awake-reasons.ts";
import type { CallRun } from "./call-run.ts";
import { type CodePlace, callModel, runTool, scopeOf, streamModel, tell } from "./calls-of-code.ts";
import { CronApi } from "./cron-api.ts";
import { databaseOf } from "./database-client.ts";
import { exclusively } from "./exclusive.ts";
import { HandlerQueue } from "./handler-queue.ts";
import { KvApi } from "./kv-api.ts";
import { ScheduleApi } from "./schedule-api.ts";
import { WorkflowsApi } from "./workflows-api.ts";

/** The handler whose context `c` is has ended; nothing happens for what is no context. */
export let releaseContext: (c: unknown, failed: boolean) => void;

/** `c` of hooks, `run` and of what has no connection. */
export class LocalContext implements ActorContext {
  readonly #activation: Activation;
  readonly #occupation: Occupation | undefined;
  readonly #call: CallRun | undefined;
  #received: HandlerQueue | undefined;

  static {
    releaseContext = (c, failed) => {
      if (c instanceof LocalContext) c.#received?.end(failed);
    };
  }

  /** `occupation`: who is told when it waits for messages. `call`: whose it is, if it is a call's. */
  constructor(activation: Activation, occupation?: Occupation, call?: CallRun) {
    this.#activation = activation;
    this.#occupation = occupation;
    this.#call = call;
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
    return new KvApi(this.#activation);
  }

  get queue(): UntypedQueue {
    this.#received ??= new HandlerQueue(this.#activation, this.#occupation);
    return this.#received.api;
  }

  get workflows(): ActorWorkflows {
    return new WorkflowsApi(this.#activation);
  }

  get db(): DatabaseAccess {
    return databaseOf(this.#activation);
  }

  get log(): ActorLogger {
    return new ActorLog(this.#activation.log);
  }

  get abortSignal(): AbortSignal {
    return this.#activation.abort.signal;
  }

  get aborted(): boolean {
    return this.#activation.stopping;
  }

  get awakeReasons(): readonly string[] {
    return awakeReasons(this.#activation);
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
    return this.#observed("c.saveState", this.#activation.saveState(options?.immediate === true));
  }

  keepAwake<R>(promise: Promise<R>): Promise<R> {
    return this.#work("keepAwake", promise);
  }

  waitUntil(promise: Promise<unknown>): void {
    void this.#work("waitUntil", promise);
  }

  sleep(): void {
    this.#activation.requestStop("sleep");
  }

  destroy(): void {
    this.#activation.requestStop("destroy");
  }

  get scope(): Scope {
    return scopeOf(this.#place);
  }

  mark(name: string, options: MarkOptions = {}): void {
    tell(this.#place, name, options);
  }

  metric(
    name: string,
    measurements: readonly Measurement[],
    options: { readonly metadata?: Metadata } = {},
  ): void {
    tell(this.#place, name, { ...options, measurements });
  }

  tool<A, R>(name: string, args: A, fn: ToolCode<A, R>, options: ToolCallOptions = {}): Promise<R> {
    return this.#observed("c.tool", runTool(this.#place, { name, args, fn }, options));
  }

  llm(name: string, request: LlmRequest, fn: LlmFunction, options: LlmCallOptions = {}): Promise<unknown> {
    return this.#observed("c.llm", callModel(this.#place, { name, request, fn }, options));
  }

  llmStream(
    name: string,
    request: LlmRequest,
    fn: LlmStreamFunction,
    options: LlmStreamOptions = {},
  ): Promise<LlmChunks> {
    return this.#observed("c.llmStream", streamModel(this.#place, { name, request, fn }, options));
  }

  /** What isn't a promise of the language (a query that runs when it is awaited) is asked once. */
  #work<R>(kind: "keepAwake" | "waitUntil", given: Promise<R>): Promise<R> {
    const promise = given instanceof Promise ? given : Promise.resolve(given);
    this.#call?.leaves(promise);
    this.#activation.work.track(kind, promise);
    return this.#observed(`c.${kind}`, promise);
  }

  #observed<R>(what: string, promise: Promise<R>): Promise<R> {
    return observed(promise, this.#activation, what);
  }

  get #place(): CodePlace {
    return { activation: this.#activation, received: this.#received, call: this.#call };
  }

  runtimeSocket(): Promise<RuntimeSocketAddress> {
    const address = async () => await this.#activation.calls.runtimeSocket.address();
    return this.#observed("c.runtimeSocket", address());
  }

  exclusive<R>(fn: () => R | Promise<R>): Promise<R> {
    return this.#observed("c.exclusive", exclusively(this.#activation, fn));
  }

  client<R extends ClientRegistry = ClientRegistry>(): Client<R> {
    return retyped<R>(this.#activation.client());
  }
}

/** The same client under the types of its user's registry: those exist at compile time alone. */
function retyped<R extends ClientRegistry>(client: Client): Client<R> {
  return client as Client<R>;
}

/** What one call adds: whose it is, and an abort signal of its own. */
export class CallContext extends LocalContext implements ConnContext {
  readonly #run: CallRun;

  constructor(run: CallRun) {
    super(run.activation, undefined, run);
    this.#run = run;
  }

  get conn(): Conn {
    return this.#run.conn;
  }

  get request(): Request | undefined {
    return this.#run.request;
  }

  override get abortSignal(): AbortSignal {
    return this.#run.abortSignal;
  }

  override client<R extends ClientRegistry = ClientRegistry>(): Client<R> {
    return retyped<R>(this.#run.activation.client(this.#run));
  }

  override get aborted(): boolean {
    return this.#run.aborted || super.aborted;
  }
}
