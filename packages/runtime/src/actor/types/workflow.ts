/**
 * Workflows, as their code sees them. The names and shapes are RivetKit's documented ones; `child` and the workflows that
 * are started by their names are Troupe's own.
 */

import type { Client, Registry as ClientRegistry } from "@troupe/client";
import type { EntryKind } from "../../workflow/entry.ts";
import type { WorkflowErrorEvent } from "../../workflow/events.ts";
import type { BlockFailure, StepFailure, StepFailureKind, WorkflowError } from "../../workflow/failure.ts";
import type { WorkflowState } from "../../workflow/record.ts";
import type { ActorLogger } from "./actor-log.ts";
import type { ActorTypes, AnyTypes } from "./bag.ts";
import type { ActorContext, ArgsOf, EventName } from "./context.ts";
import type { TypesOf } from "./contexts-of.ts";
import type { ActorKv } from "./kv.ts";
import type { QueueMessageOf, QueueName, QueueOf, Received } from "./queue.ts";
import type { ActorCalls } from "./relay.ts";
import type { Schedule } from "./schedule.ts";

/** What a step gets: what an actor's code may do, for as long as the step runs. Afterwards it throws `workflow.step_over`. */
export interface WorkflowStepContext<T extends ActorTypes = ActorTypes> extends ActorCalls {
  readonly actorId: string;
  readonly name: string;
  readonly key: string[];
  readonly log: ActorLogger;
  /** Fires when the actor begins to stop, and when another branch of a race has won. */
  readonly abortSignal: AbortSignal;
  readonly state: T["state"];
  readonly vars: T["vars"];
  readonly db: T["database"];
  readonly kv: ActorKv;
  readonly schedule: Schedule<T["actionNames"]>;
  readonly workflows: ActorWorkflows;
  readonly queue: Pick<QueueOf<T["queues"]>, "send">;
  client<R extends ClientRegistry = ClientRegistry>(): Client<R>;
  broadcast<N extends EventName<T["events"]>>(name: N, ...args: ArgsOf<T["events"], N>): void;
  /** As `c.exclusive` of an action. */
  exclusive<R>(fn: () => R | Promise<R>): Promise<R>;
  keepAwake<R>(promise: Promise<R>): Promise<R>;
  waitUntil(promise: Promise<unknown>): void;
  destroy(): void;
}

/** A step with options. Times are milliseconds. */
export interface WorkflowStepConfig<T extends ActorTypes, R> {
  readonly name: string;
  readonly run: (step: WorkflowStepContext<T>) => Promise<R>;
  /** Undoes it when the workflow fails later. It needs a `rollbackCheckpoint` before. */
  readonly rollback?: (step: WorkflowStepContext<T>, output: R) => Promise<void>;
  /** True: it doesn't wait for what came before to be durable, so a crash may repeat what came before as well. */
  readonly ephemeral?: boolean;
  /** Attempts behind the first. Default: 3. */
  readonly maxRetries?: number;
  /** The wait before the second attempt; it doubles. Default: 100. */
  readonly retryBackoffBase?: number;
  /** The longest wait. Default: 30,000. */
  readonly retryBackoffMax?: number;
  /** Of one attempt; 0 for none. Default: 30,000. */
  readonly timeout?: number;
  /** True: an attempt that took too long is followed by another. Default: false. */
  readonly retryOnTimeout?: boolean;
}

/** A step whose failure is a value. */
export interface WorkflowTryStepConfig<T extends ActorTypes, R> extends WorkflowStepConfig<T, R> {
  /** Which failures; others are thrown. Default: all but `rollback`. */
  readonly catch?: readonly StepFailureKind[];
}

/** A step for any actor's workflow, whose failure is a value. */
export type TryStepConfig<R> = WorkflowTryStepConfig<AnyTypes, R>;

/** What `tryStep` gives. */
export type TryStepResult<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly failure: StepFailure };

/** Failures of a block that can be values. */
export type TryBlockCatchKind = "step" | "join" | "race" | "rollback";

/** A block whose failure is a value. */
export interface WorkflowTryConfig<T extends ActorTypes, R> {
  readonly name: string;
  readonly run: (ctx: WorkflowContext<T>) => Promise<R>;
  /** Which failures; others are thrown. Default: all but `rollback`. */
  readonly catch?: readonly TryBlockCatchKind[];
}

/** A block for any actor's workflow, whose failure is a value. */
export type TryBlockConfig<R> = WorkflowTryConfig<AnyTypes, R>;

/** What `try` gives. */
export type TryBlockResult<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly failure: BlockFailure };

/** What a round of a loop gives back: see {@link Loop}. */
export type LoopResult<S, R> =
  | { readonly continue: true; readonly state: S }
  | { readonly break: true; readonly value: R };

/** A loop with a state. */
export interface WorkflowLoopConfig<T extends ActorTypes, S, R> {
  readonly name: string;
  /** That of the first round. */
  readonly state?: S;
  readonly run: (
    ctx: WorkflowContext<T>,
    state: S,
  ) =>
    | Promise<LoopResult<S, R> | (S extends undefined ? undefined : never)>
    | (S extends undefined ? Promise<void> : never);
  /** After so many rounds old ones are removed from the history. Default: 20. */
  readonly historyPruneInterval?: number;
  /** Rounds that are kept then. Default: `historyPruneInterval`. */
  readonly historySize?: number;
  /** @deprecated Use `historyPruneInterval`. */
  readonly commitInterval?: number;
  /** @deprecated Use `historyPruneInterval`. */
  readonly historyEvery?: number;
  /** @deprecated Use `historySize`. */
  readonly historyKeep?: number;
}

/** A branch of a join. */
export interface WorkflowBranchConfig<T extends ActorTypes, R> {
  readonly run: (ctx: WorkflowContext<T>) => Promise<R>;
}

/** Options of `ctx.queue.next`. */
export interface WorkflowQueueNextOptions<N extends string = string, C extends boolean = boolean> {
  /** Queues to take from. Default: all. */
  readonly names?: readonly N[];
  /** Milliseconds. Default: as long as it takes. */
  readonly timeout?: number;
  /** True: its sender waits until `complete` is called on it. Default: false. */
  readonly completable?: C;
}

/** Options of `ctx.queue.nextBatch`. */
export interface WorkflowQueueNextBatchOptions<N extends string = string, C extends boolean = boolean>
  extends WorkflowQueueNextOptions<N, C> {
  /** The most messages. Default: 1. */
  readonly count?: number;
}

/** A message, as a workflow has it. One that is to be completed is the workflow's alone. */
export type WorkflowReceived<T extends ActorTypes, N extends string, C extends boolean> = C extends true
  ? Omit<Received<T["queues"], N, true>, "retry" | "attempts">
  : Received<T["queues"], N, false> & QueueMessageOf<string, unknown>;

/** `ctx.queue`: each wait has a name of its own. */
export interface WorkflowQueue<T extends ActorTypes> {
  /** Throws `queue.timed_out` when the time is over. */
  next<const N extends QueueName<T["queues"]> = QueueName<T["queues"]>, const C extends boolean = false>(
    name: string,
    options?: WorkflowQueueNextOptions<N, C>,
  ): Promise<WorkflowReceived<T, N, C>>;
  /** One message at least, or none when the time is over. */
  nextBatch<const N extends QueueName<T["queues"]> = QueueName<T["queues"]>, const C extends boolean = false>(
    name: string,
    options?: WorkflowQueueNextBatchOptions<N, C>,
  ): Promise<WorkflowReceived<T, N, C>[]>;
}

/** A child that is to be started. */
export interface WorkflowChildOptions {
  /** The name under which it is declared. */
  readonly workflow: string;
  readonly input?: unknown;
  /** Default: the parent's id and the place. */
  readonly id?: string;
}

/**
 * What a workflow's code gets. It runs from its beginning in each life of the actor, so all that has effects is in a step,
 * and what it decides by comes from steps, messages and `getVersion`. Each name is used once in its place.
 */
export interface WorkflowContext<T extends ActorTypes = ActorTypes> {
  readonly workflowId: string;
  readonly abortSignal: AbortSignal;
  readonly actorId: string;
  readonly name: string;
  readonly key: string[];
  readonly log: ActorLogger;
  readonly queue: WorkflowQueue<T>;
  step<R>(name: string, run: (step: WorkflowStepContext<T>) => Promise<R>): Promise<R>;
  step<R>(config: WorkflowStepConfig<T, R>): Promise<R>;
  tryStep<R>(name: string, run: (step: WorkflowStepContext<T>) => Promise<R>): Promise<TryStepResult<R>>;
  tryStep<R>(config: WorkflowTryStepConfig<T, R>): Promise<TryStepResult<R>>;
  try<R>(name: string, run: (ctx: WorkflowContext<T>) => Promise<R>): Promise<TryBlockResult<R>>;
  try<R>(config: WorkflowTryConfig<T, R>): Promise<TryBlockResult<R>>;
  loop<R>(
    name: string,
    run: (ctx: WorkflowContext<T>) => Promise<LoopResult<undefined, R> | undefined> | Promise<void>,
  ): Promise<R>;
  loop<S, R>(config: WorkflowLoopConfig<T, S, R>): Promise<R>;
  sleep(name: string, durationMs: number): Promise<void>;
  /** `timestampMs`: wall clock. */
  sleepUntil(name: string, timestampMs: number): Promise<void>;
  /** Steps behind it may have a `rollback`. */
  rollbackCheckpoint(name: string): Promise<void>;
  /** Throws `workflow.join_failed` when all have ended and one has failed. */
  join<B extends Readonly<Record<string, WorkflowBranchConfig<T, unknown>>>>(
    name: string,
    branches: B,
  ): Promise<{ [K in keyof B]: Awaited<ReturnType<B[K]["run"]>> }>;
  /** Throws `workflow.race_failed` when all have failed. */
  race<R>(
    name: string,
    branches: readonly { readonly name: string; readonly run: (ctx: WorkflowContext<T>) => Promise<R> }[],
  ): Promise<{ winner: string; value: R }>;
  /** Starts another workflow of this actor, and waits for its output. Throws `workflow.child_failed`. */
  child<R = unknown>(name: string, options: WorkflowChildOptions): Promise<R>;
  /** Stands where the code has no more of what it had: a workflow that has it in its history goes on. */
  removed(name: string, originalType: EntryKind): Promise<void>;
  /** Which version of the code to follow here: `latest`, or 1 for one that was past this place before. */
  getVersion(name: string, latest: number): Promise<number>;
  /** True when it goes no further in this life of the actor. */
  isEvicted(): boolean;
}

/** A workflow, as it stands. Times are of the wall clock, milliseconds. */
export interface WorkflowInfo {
  readonly id: string;
  /** The name under which it is declared; empty for the one that is the actor's `run`. */
  readonly workflow: string;
  readonly state: WorkflowState;
  readonly input: unknown;
  readonly output?: unknown;
  readonly error?: WorkflowError;
  readonly createdAt: number;
  readonly endedAt?: number;
}

/** Options of `c.workflows.start`. */
export interface WorkflowStartOptions {
  /** The same id is the same workflow: a second start finds the first. Default: a random one. */
  readonly id?: string;
  readonly input?: unknown;
}

/** `c.workflows`. It is there for actors whose `run` is a workflow; the `id` of that one is the actor's. */
export interface ActorWorkflows {
  /** Starts one by its name, in this turn. Rejects with `workflow.*`. */
  start(name: string, options?: WorkflowStartOptions): Promise<WorkflowInfo>;
  /** One that goes on, or has ended and is kept: the 1,000 newest are. */
  get(id: string): Promise<WorkflowInfo | undefined>;
  /** Those that go on. */
  list(): Promise<readonly WorkflowInfo[]>;
  /**
   * Waits for the end: its output. Rejects with `workflow.failed`, `workflow.cancelled`, `workflow.not_found`; and with
   * `actor.aborted` when the actor sleeps before.
   */
  result<R = unknown>(id: string): Promise<R>;
  /** Ends one as it stands: nothing is undone. False when none of this id goes on. */
  cancel(id: string): Promise<boolean>;
}

/** Options of `workflow()`. */
export interface WorkflowOptions<T extends ActorTypes> {
  /** Told of what goes wrong; the workflow doesn't wait for it. */
  readonly onError?: (c: ActorContext<T>, event: WorkflowErrorEvent) => void | Promise<void>;
  /** Workflows that are started by their names: with `c.workflows.start`, or as children. */
  readonly workflows?: Readonly<
    // The input is whoever starts it's to choose; each says what it takes.
    Record<string, (ctx: WorkflowContext<T>, input: never) => Promise<unknown>>
  >;
}

/** The context of a definition's workflows, for functions outside of it. */
export type WorkflowContextOf<D> = WorkflowContext<TypesOf<D>>;
/** The same: RivetKit has a name for each place. */
export type WorkflowLoopContextOf<D> = WorkflowContextOf<D>;
/** The same: RivetKit has a name for each place. */
export type WorkflowBranchContextOf<D> = WorkflowContextOf<D>;
/** The context of a definition's steps. */
export type WorkflowStepContextOf<D> = WorkflowStepContext<TypesOf<D>>;

/** Workflows by their names, as `workflow(fn, { workflows })` takes them. */
type NamedWorkflows = Readonly<Record<string, (ctx: never, input: never) => Promise<unknown>>>;

/** What a workflow takes; nothing for one without a second parameter. */
type InputOf<F> = F extends (...args: infer Given) => unknown
  ? Given extends [unknown, ...infer Rest]
    ? Rest extends []
      ? undefined
      : Rest[0]
    : undefined
  : never;

/** Options of a start whose input is known; left out where the workflow may go without. */
type StartArguments<Input> = undefined extends Input
  ? [options?: WorkflowStartOptions & { readonly input?: Input }]
  : [options: WorkflowStartOptions & { readonly input: Input }];

/**
 * `c.workflows` with the names of a record of workflows, and what each takes:
 * `const workflows: WorkflowsOf<typeof sales> = c.workflows`, where `sales` is what `workflow(fn, { workflows: sales })` was
 * given. Declared beside the actor, it is known in its actions too: `c.workflows` itself would be a part of what is inferred.
 */
export interface WorkflowsOf<W extends NamedWorkflows> extends Omit<ActorWorkflows, "start"> {
  /** As `ActorWorkflows.start`. */
  start<N extends keyof W & string>(
    name: N,
    ...options: StartArguments<InputOf<W[N]>>
  ): Promise<WorkflowInfo>;
}
