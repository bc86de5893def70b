/**
 * Declared queues, and `c.queue`. The names and shapes are RivetKit's documented ones; what it leaves to `any` has types.
 */
import type { ConnContext } from "./context.ts";
import type { StandardSchema } from "./standard-schema.ts";

/** How a queue is declared. Times are milliseconds. */
export interface QueueOptions<Message = unknown, Reply = unknown, C = ConnContext> {
  /** Checks, and may change, what is sent. */
  readonly message?: StandardSchema<unknown, Message>;
  /** Checks, and may change, what a message is completed with. */
  readonly complete?: StandardSchema<unknown, Reply>;
  /**
   * A message that isn't completed in this time may be delivered again, though its handler goes on. Default: as long as
   * the handler takes; one that ends without completing its message has failed in any case.
   */
  readonly visibilityTimeout?: number;
  /** A message that was delivered so often and never completed is a dead letter. Default 10. */
  readonly maxAttempts?: number;
  /** The wait before a message that failed is delivered for the second time; it doubles with each. Default 1,000. */
  readonly retryDelay?: number;
  /** Says who may send from outside; false is `auth.forbidden`. */
  canPublish?(c: C, message: Message): boolean | Promise<boolean>;
}

/** A declared queue. */
export interface QueueDeclaration<Message = unknown, Reply = unknown, C = ConnContext>
  extends QueueOptions<Message, Reply, C> {
  /** Types only; never there at run time. */
  readonly "~queue"?: { readonly message: Message; readonly reply: Reply };
}

/** The `queues` of a definition: names to declarations, or to the schemas of their messages. */
export type QueueDeclarations = Readonly<Record<string, QueueDeclaration | StandardSchema>>;

/** What a queue's messages are. */
export type MessageOf<D> = D extends { readonly message: StandardSchema<unknown, infer M> }
  ? M
  : D extends StandardSchema<unknown, infer M>
    ? M
    : D extends { readonly "~queue"?: { readonly message: infer M } }
      ? M
      : unknown;

/** What a queue's messages are completed with. */
export type ReplyOf<D> = D extends { readonly complete: StandardSchema<unknown, infer R> }
  ? R
  : D extends { readonly "~queue"?: { readonly reply: infer R } }
    ? [R] extends [never]
      ? unknown
      : R
    : unknown;

/**
 * Declares a queue.
 *
 * ```ts
 * queues: { jobs: queue<{ url: string }, { status: number }>({ maxAttempts: 5 }) }
 * ```
 */
export function queue<Message, Reply = never, C = ConnContext>(
  options: QueueOptions<Message, Reply, C> = {},
): QueueDeclaration<Message, Reply, C> {
  return Object.freeze({ ...options });
}

/** Names of declared queues; any string where none are declared. */
export type QueueName<Q extends QueueDeclarations> = keyof Q extends never ? string : keyof Q & string;

type BodyIn<Q extends QueueDeclarations, N extends string> = N extends keyof Q ? MessageOf<Q[N]> : unknown;
type ReplyIn<Q extends QueueDeclarations, N extends string> = N extends keyof Q ? ReplyOf<Q[N]> : unknown;

/** A message. */
export interface QueueMessageOf<Name extends string = string, Body = unknown> {
  /** Counts up in the actor. */
  readonly id: number;
  readonly name: Name;
  readonly body: Body;
  /** Wall clock, milliseconds. */
  readonly createdAt: number;
}

/** A message that was taken to be completed. */
export interface CompletableMessage<Name extends string = string, Body = unknown, Reply = unknown>
  extends QueueMessageOf<Name, Body> {
  /** Deliveries so far, this one included. */
  readonly attempts: number;
  /**
   * It was handled. Its sender, if it waits, gets `reply`. Throws `queue.already_completed`, and `queue.delivery_over` when
   * its `visibilityTimeout` or a `retry` came before: then what was done is done again by the next delivery.
   */
  complete(...reply: undefined extends Reply ? [reply?: Reply] : [reply: Reply]): Promise<void>;
  /** It failed: it is delivered again, in `delay` ms or as its queue says, or is a dead letter. */
  retry(options?: { readonly delay?: number }): Promise<void>;
}

/** What is taken: of each named queue its own type. */
export type Received<Q extends QueueDeclarations, N extends string, Completable extends boolean> = {
  [Name in N]: Completable extends true
    ? CompletableMessage<Name, BodyIn<Q, Name>, ReplyIn<Q, Name>>
    : QueueMessageOf<Name, BodyIn<Q, Name>>;
}[N];

/** Options of `tryNext`. */
export interface QueueTryNextOptions<N extends string = string, Completable extends boolean = boolean> {
  /** Queues to take from. Default: all. */
  readonly names?: readonly N[];
  /** True: the message stays until `complete` is called on it. Default: false. */
  readonly completable?: Completable;
}

/** Options of `tryNextBatch`. */
export interface QueueTryNextBatchOptions<N extends string = string, Completable extends boolean = boolean>
  extends QueueTryNextOptions<N, Completable> {
  /** The most messages. Default: 1. */
  readonly count?: number;
}

/** Options of `iter`. */
export interface QueueIterOptions<N extends string = string, Completable extends boolean = boolean>
  extends QueueTryNextOptions<N, Completable> {
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

/** Options of `next`. */
export interface QueueNextOptions<N extends string = string, Completable extends boolean = boolean>
  extends QueueIterOptions<N, Completable> {
  /** The longest wait, milliseconds. Default: for as long as it takes. */
  readonly timeout?: number;
}

/** Options of `nextBatch`. */
export interface QueueNextBatchOptions<N extends string = string, Completable extends boolean = boolean>
  extends QueueNextOptions<N, Completable> {
  /** The most messages; the first one that is there ends the wait. Default: 1. */
  readonly count?: number;
}

/** Options of `waitForNames`. */
export interface QueueWaitOptions<Completable extends boolean = boolean> {
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  readonly completable?: Completable;
}

/** Options of `enqueueAndWait`. */
export interface QueueEnqueueAndWaitOptions {
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** A message that was given up. */
export interface DeadLetter {
  readonly id: number;
  readonly name: string;
  readonly body: unknown;
  readonly createdAt: number;
  readonly attempts: number;
  readonly diedAt: number;
}

/** Messages of an actor that were delivered as often as their queues allow. */
export interface DeadLetterQueue {
  /** In the order of their sending: at most `limit` (default 100), behind the id `after`. */
  list(options?: { readonly limit?: number; readonly after?: number }): Promise<DeadLetter[]>;
  /** Sends one anew, as the last message of its queue. False when it isn't there. Throws `queue.full`. */
  redrive(id: number): Promise<boolean>;
  /** Throws one away. False when it isn't there. */
  remove(id: number): Promise<boolean>;
}

/**
 * The queues of one actor. What a turn does here is stored together with its state. Methods reject with `queue.*`, with
 * `actor.aborted` when a wait is ended by its signal or with the actor, and with `actor.stopped` behind the actor's end.
 */
export interface ActorQueue<Q extends QueueDeclarations = QueueDeclarations> {
  /** Sends to a queue of this actor. */
  send<N extends QueueName<Q>>(name: N, body: BodyIn<Q, N>): Promise<QueueMessageOf<N, BodyIn<Q, N>>>;
  /** The next message; undefined when the time is over. The last one that was taken plainly is handled by now. */
  next<const N extends QueueName<Q> = QueueName<Q>, const Completable extends boolean = false>(
    options?: QueueNextOptions<N, Completable>,
  ): Promise<Received<Q, N, Completable> | undefined>;
  /** The next messages: one at least, or none when the time is over. */
  nextBatch<const N extends QueueName<Q> = QueueName<Q>, const Completable extends boolean = false>(
    options?: QueueNextBatchOptions<N, Completable>,
  ): Promise<Received<Q, N, Completable>[]>;
  /** As `next`, without waiting. */
  tryNext<const N extends QueueName<Q> = QueueName<Q>, const Completable extends boolean = false>(
    options?: QueueTryNextOptions<N, Completable>,
  ): Promise<Received<Q, N, Completable> | undefined>;
  /** As `nextBatch`, without waiting. */
  tryNextBatch<const N extends QueueName<Q> = QueueName<Q>, const Completable extends boolean = false>(
    options?: QueueTryNextBatchOptions<N, Completable>,
  ): Promise<Received<Q, N, Completable>[]>;
  /** As `next`, but rejects with `queue.timed_out`. */
  waitForNames<const N extends QueueName<Q>, const Completable extends boolean = false>(
    names: readonly N[],
    options?: QueueWaitOptions<Completable>,
  ): Promise<Received<Q, N, Completable>>;
  /** Settles when a message may be there, and takes none. Rejects with `queue.timed_out`. */
  waitForAvailable<const N extends QueueName<Q>>(
    names?: readonly N[],
    options?: Omit<QueueWaitOptions<false>, "completable">,
  ): Promise<void>;
  /** Messages one after the other, until the actor stops. A message is handled when the next one is asked for. */
  iter<const N extends QueueName<Q> = QueueName<Q>, const Completable extends boolean = false>(
    options?: QueueIterOptions<N, Completable>,
  ): AsyncIterableIterator<Received<Q, N, Completable>>;
  /** Sends to a queue of this actor, and waits for the reply. Whoever handles it must be somebody else. */
  enqueueAndWait<N extends QueueName<Q>>(
    name: N,
    body: BodyIn<Q, N>,
    options?: QueueEnqueueAndWaitOptions,
  ): Promise<ReplyIn<Q, N> | undefined>;
  /** Completes a message by its id, whoever has it. Throws `queue.already_completed`. */
  complete<N extends QueueName<Q>>(
    message: { readonly id: number; readonly name: N },
    reply?: ReplyIn<Q, N>,
  ): Promise<void>;
  readonly deadLetters: DeadLetterQueue;
}

/** What is taken from queues whose types aren't known. */
export type UntypedMessage<Completable extends boolean> = Completable extends true
  ? CompletableMessage
  : QueueMessageOf;

/** The queues of an actor whose types aren't known: any actor's are. */
export interface UntypedQueue {
  send(name: string, body: unknown): Promise<QueueMessageOf>;
  next<C extends boolean = false>(
    options?: QueueNextOptions<string, C>,
  ): Promise<UntypedMessage<C> | undefined>;
  nextBatch<C extends boolean = false>(
    options?: QueueNextBatchOptions<string, C>,
  ): Promise<UntypedMessage<C>[]>;
  tryNext<C extends boolean = false>(
    options?: QueueTryNextOptions<string, C>,
  ): Promise<UntypedMessage<C> | undefined>;
  tryNextBatch<C extends boolean = false>(
    options?: QueueTryNextBatchOptions<string, C>,
  ): Promise<UntypedMessage<C>[]>;
  waitForNames<C extends boolean = false>(
    names: readonly string[],
    options?: QueueWaitOptions<C>,
  ): Promise<UntypedMessage<C>>;
  waitForAvailable(
    names?: readonly string[],
    options?: Omit<QueueWaitOptions<false>, "completable">,
  ): Promise<void>;
  iter<C extends boolean = false>(
    options?: QueueIterOptions<string, C>,
  ): AsyncIterableIterator<UntypedMessage<C>>;
  enqueueAndWait(name: string, body: unknown, options?: QueueEnqueueAndWaitOptions): Promise<unknown>;
  complete(message: { readonly id: number; readonly name: string }, reply?: unknown): Promise<void>;
  readonly deadLetters: DeadLetterQueue;
}

/** `c.queue` of an actor with these queues. */
export type QueueOf<Q extends QueueDeclarations> = string extends keyof Q ? UntypedQueue : ActorQueue<Q>;
