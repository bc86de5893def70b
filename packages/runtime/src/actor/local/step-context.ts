/** What a step's code gets: what `c` can do, for as long as the step runs. */

import type { Client, Registry as ClientRegistry } from "@troupe/client";
import type { Scope, ToolCallOptions } from "@troupe/relay";
import { workflowErrors } from "../../workflow/errors.ts";
import type { ActorLogger } from "../types/actor-log.ts";
import type { DatabaseAccess } from "../types/database.ts";
import type { ActorKv } from "../types/kv.ts";
import type { UntypedQueue } from "../types/queue.ts";
import type { ActorCalls, LlmChunks, ToolCode } from "../types/relay.ts";
import type { Schedule } from "../types/schedule.ts";
import type { ActorWorkflows } from "../types/workflow.ts";
import type { LocalContext } from "./context.ts";

/** `step` of one attempt. */
export class StepContext {
  readonly #c: LocalContext;
  readonly #step: string;
  readonly #signal: AbortSignal;
  #over = false;

  constructor(c: LocalContext, step: string, signal: AbortSignal) {
    this.#c = c;
    this.#step = step;
    this.#signal = signal;
  }

  get actorId(): string {
    return this.#c.actorId;
  }

  get name(): string {
    return this.#c.name;
  }

  get key(): string[] {
    return this.#c.key;
  }

  get log(): ActorLogger {
    return this.#c.log;
  }

  get abortSignal(): AbortSignal {
    return this.#signal;
  }

  get state(): unknown {
    return this.#live.state;
  }

  get vars(): unknown {
    return this.#live.vars;
  }

  get db(): DatabaseAccess {
    return this.#live.db;
  }

  get kv(): ActorKv {
    return this.#live.kv;
  }

  get schedule(): Schedule {
    return this.#live.schedule;
  }

  get workflows(): ActorWorkflows {
    return this.#live.workflows;
  }

  get queue(): { send: UntypedQueue["send"] } {
    const { queue } = this.#live;
    return {
      send: (name, body) => {
        this.#checkLive();
        return queue.send(name, body);
      },
    };
  }

  client<R extends ClientRegistry = ClientRegistry>(): Client<R> {
    return this.#live.client<R>();
  }

  get scope(): Scope {
    return this.#live.scope;
  }

  tool<A, R>(name: string, args: A, fn: ToolCode<A, R>, options?: ToolCallOptions): Promise<R> {
    return this.#live.tool(name, args, fn, options);
  }

  llm(...call: Parameters<ActorCalls["llm"]>): Promise<unknown> {
    return this.#live.llm(...call);
  }

  llmStream(...call: Parameters<ActorCalls["llmStream"]>): Promise<LlmChunks> {
    return this.#live.llmStream(...call);
  }

  broadcast(name: string, ...args: readonly unknown[]): void {
    this.#live.broadcast(name, ...args);
  }

  exclusive<R>(fn: () => R | Promise<R>): Promise<R> {
    return this.#live.exclusive(fn);
  }

  keepAwake<R>(promise: Promise<R>): Promise<R> {
    return this.#live.keepAwake(promise);
  }

  waitUntil(promise: Promise<unknown>): void {
    this.#live.waitUntil(promise);
  }

  destroy(): void {
    this.#live.destroy();
  }

  /** The attempt has ended: what is left of its code does nothing more here. */
  end(): void {
    this.#over = true;
  }

  get #live(): LocalContext {
    this.#checkLive();
    return this.#c;
  }

  #checkLive(): void {
    if (this.#over) throw workflowErrors.stepOver(this.#step);
  }
}
