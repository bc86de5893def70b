/** `c.queue`: checks what it is given, and gives messages their shape. */
import { TroupeError } from "@troupe/base";
import { decodeCbor } from "@troupe/protocol";
import { type Observer, observed } from "../../ports/observed.ts";
import { queueErrors } from "../../queue/errors.ts";
import type { QueueMessage } from "../../queue/message.ts";
import type { Receiver, Wanted } from "../../queue/receiver.ts";
import type { Ending } from "../../queue/replies.ts";
import { sqlErrors } from "../../sql/errors.ts";
import { isQueueName } from "../queue-table.ts";
import type {
  ActorQueue,
  CompletableMessage,
  DeadLetter,
  DeadLetterQueue,
  QueueDeclarations,
  QueueEnqueueAndWaitOptions,
  QueueIterOptions,
  QueueMessageOf,
  QueueNextBatchOptions,
  QueueTryNextBatchOptions,
  QueueTryNextOptions,
  QueueWaitOptions,
  Received,
} from "../types/queue.ts";
import { validated } from "../validate.ts";
import type { Activation } from "./activation.ts";

type Q = QueueDeclarations;

/** `c.queue` of one handler. What it writes is written when its methods return. */
export class QueueApi implements ActorQueue {
  readonly #activation: Activation;
  readonly #receiver: Receiver;
  /** A receiver for one loop. */
  readonly #fork: () => Receiver;

  constructor(activation: Activation, receiver: Receiver, fork: () => Receiver) {
    this.#activation = activation;
    this.#receiver = receiver;
    this.#fork = fork;
  }

  send<N extends string>(name: N, body: unknown): Promise<QueueMessageOf<N, never>> {
    return told(this.#activation, async () => {
      const message = await this.#send(name, body);
      return plainMessage(message) as QueueMessageOf<N, never>;
    });
  }

  next<N extends string = string, C extends boolean = false>(
    options: QueueNextBatchOptions<N, C> = {},
  ): Promise<Received<Q, N, C> | undefined> {
    return told(this.#activation, async () => {
      const [message] = await this.#take<N, C>(this.#receiver, { ...options, count: 1 });
      return message;
    });
  }

  nextBatch<N extends string = string, C extends boolean = false>(
    options: QueueNextBatchOptions<N, C> = {},
  ): Promise<Received<Q, N, C>[]> {
    return observed(this.#take<N, C>(this.#receiver, options), this.#activation, "c.queue");
  }

  tryNext<N extends string = string, C extends boolean = false>(
    options: QueueTryNextOptions<N, C> = {},
  ): Promise<Received<Q, N, C> | undefined> {
    return this.next<N, C>({ ...options, timeout: 0 });
  }

  tryNextBatch<N extends string = string, C extends boolean = false>(
    options: QueueTryNextBatchOptions<N, C> = {},
  ): Promise<Received<Q, N, C>[]> {
    return this.nextBatch<N, C>({ ...options, timeout: 0 });
  }

  waitForNames<N extends string, C extends boolean = false>(
    names: readonly N[],
    options: QueueWaitOptions<C> = {},
  ): Promise<Received<Q, N, C>> {
    return told(this.#activation, async () => {
      const message = await this.next<N, C>({ ...options, names });
      if (message === undefined) throw queueErrors.timedOut(names[0], options.timeout ?? 0);
      return message;
    });
  }

  waitForAvailable<N extends string>(
    names?: readonly N[],
    options: Omit<QueueWaitOptions<false>, "completable"> = {},
  ): Promise<void> {
    return observed(this.#available(names, options), this.#activation, "c.queue");
  }

  async #available(
    names: readonly string[] | undefined,
    options: Omit<QueueWaitOptions<false>, "completable">,
  ): Promise<void> {
    const wanted = this.#wanted({ ...options, ...(names === undefined ? {} : { names }) });
    const { queues } = this.#activation;
    if (queues.mayHave(wanted.names)) return;
    if (queues.arrivals.ended || options.signal?.aborted === true) throw queueErrors.aborted();
    if (await this.#receiver.available(wanted)) {
      // It takes nothing: whoever waits for the message behind it gets it.
      queues.stir();
      return;
    }
    throw queueErrors.timedOut(names?.[0], options.timeout ?? 0);
  }

  async *iter<N extends string = string, C extends boolean = false>(
    options: QueueIterOptions<N, C> = {},
  ): AsyncGenerator<Received<Q, N, C>, void, undefined> {
    const receiver = this.#fork();
    try {
      for (;;) {
        const [message] = await this.#take<N, C>(receiver, { ...options, count: 1 });
        if (message !== undefined) yield message;
      }
    } catch (cause) {
      if (!isAborted(cause)) throw cause;
    } finally {
      // Left in the middle: the loop is done with what it had.
      receiver.handled();
    }
  }

  enqueueAndWait<N extends string>(
    name: N,
    body: unknown,
    options: QueueEnqueueAndWaitOptions = {},
  ): Promise<never> {
    return observed(this.#answered(name, body, options), this.#activation, "c.queue");
  }

  async #answered(name: string, body: unknown, options: QueueEnqueueAndWaitOptions): Promise<never> {
    if (this.#activation.inTransaction) throw sqlErrors.outputInTransaction();
    const { timeoutMs, signal } = this.#wanted(options);
    if (signal?.aborted === true) throw queueErrors.aborted();
    const message = await this.#send(name, body);
    const reply = await this.#reply(message, timeoutMs, signal);
    return reply as never;
  }

  complete(of: { readonly id: number; readonly name: string }, reply?: unknown): Promise<void> {
    return told(this.#activation, async () => {
      const { queues } = this.#activation;
      const encoded = this.#encodeReply(of.name, reply);
      await queues.complete(of, encoded instanceof Promise ? await encoded : encoded);
    });
  }

  get deadLetters(): DeadLetterQueue {
    const { queues } = this.#activation;
    return {
      list: (options = {}) =>
        told(this.#activation, async () => {
          const limit = wholeOf("limit", options.limit ?? DEAD_PAGE, 1);
          const letters = await queues.dead.list(wholeOf("after", options.after ?? 0, 0), limit);
          return letters.map(({ message, diedAt }): DeadLetter => {
            return { ...plainMessage(message), attempts: message.attempts, diedAt };
          });
        }),
      redrive: (id) => told(this.#activation, async () => await queues.redrive(wholeOf("id", id, 0))),
      remove: (id) =>
        told(this.#activation, async () => {
          return (await queues.dead.take(wholeOf("id", id, 0))) !== undefined;
        }),
    };
  }

  #send(name: string, body: unknown): QueueMessage | Promise<QueueMessage> {
    const { queues, behaviour } = this.#activation;
    this.#checkName(name);
    const schema = behaviour.queues.get(name)?.message;
    const checked = validated(schema, body, (issues) => queueErrors.invalidPayload(name, issues));
    if (checked instanceof Promise) return checked.then((value: unknown) => queues.send(name, value));
    return queues.send(name, checked);
  }

  async #take<N extends string, C extends boolean>(
    receiver: Receiver,
    options: QueueNextBatchOptions<N, C>,
  ): Promise<Received<Q, N, C>[]> {
    const wanted = this.#wanted(options);
    const messages = await receiver.take(wanted);
    const shape = wanted.completable ? (one: QueueMessage) => this.#completable(one) : plainMessage;
    return messages.map(shape) as Received<Q, N, C>[];
  }

  #wanted(options: QueueNextBatchOptions): Wanted {
    const { names, count = 1, timeout, signal, completable } = options;
    if (timeout !== undefined && !(typeof timeout === "number" && timeout >= 0))
      throw queueErrors.invalidOption("timeout", "a number, 0 or more");
    for (const name of names ?? []) this.#checkName(name);
    return {
      names: names === undefined || names.length === 0 ? undefined : new Set(names),
      count: wholeOf("count", count, 1),
      timeoutMs: timeout ?? Infinity,
      signal,
      completable: completable === true,
    };
  }

  #checkName(name: string): void {
    if (!isQueueName(name)) throw queueErrors.invalidName();
    const { behaviour, record } = this.#activation;
    const { names } = behaviour.queues;
    if (names.length > 0 && behaviour.queues.get(name) === undefined)
      throw queueErrors.notFound(record.name, name);
  }

  #completable(message: QueueMessage): CompletableMessage {
    const { queues } = this.#activation;
    return {
      ...plainMessage(message),
      attempts: message.attempts,
      complete: (reply?: unknown) =>
        told(this.#activation, async () => {
          const encoded = this.#encodeReply(message.name, reply);
          const bytes = encoded instanceof Promise ? await encoded : encoded;
          if (!queues.finish(message, bytes)) throw overError(message);
        }),
      retry: ({ delay } = {}) =>
        told(this.#activation, async () => {
          if (delay !== undefined && !(delay >= 0))
            throw queueErrors.invalidOption("delay", "a number, 0 or more");
          if (!queues.isOut(message)) throw overError(message);
          queues.giveBack(message, delay);
        }),
    };
  }

  /** Checked and encoded: at once where the schema can. */
  #encodeReply(name: string, reply: unknown): Uint8Array | undefined | Promise<Uint8Array | undefined> {
    const { queues, behaviour } = this.#activation;
    const schema = behaviour.queues.get(name)?.complete;
    const encode = (value: unknown) => (value === undefined ? undefined : queues.encode(value, "reply"));
    const checked = validated(schema, reply, (issues) => queueErrors.invalidReply(name, issues));
    return checked instanceof Promise ? checked.then(encode) : encode(checked);
  }

  #reply(message: QueueMessage, timeoutMs: number, signal: AbortSignal | undefined): Promise<unknown> {
    const { queues, env } = this.#activation;
    return new Promise((resolve, reject) => {
      const end = (): void => {
        forget();
        signal?.removeEventListener("abort", abort);
        if (timer !== undefined) env.timers.clear(timer);
      };
      const fail = (error: unknown): void => {
        end();
        reject(error);
      };
      const abort = (): void => fail(queueErrors.aborted());
      const late = (): void => fail(queueErrors.timedOut(message.name, timeoutMs));
      const forget = queues.replies.wait(message.id, (ending: Ending | undefined) => {
        if (ending === undefined) return abort();
        if (ending.kind === "dead") return fail(ending.error);
        end();
        resolve(ending.reply && decodeCbor(ending.reply));
      });
      const timer =
        timeoutMs === Infinity ? undefined : env.timers.set(late, timeoutMs, { background: true });
      signal?.addEventListener("abort", abort);
    });
  }
}

/** Dead letters of one list, where nobody says how many. */
const DEAD_PAGE = 100;

/** Runs the first part of `work` now, and makes a promise that nobody has to await. */
function told<R>(whose: Observer, work: () => Promise<R>): Promise<R> {
  return observed(work(), whose, "c.queue");
}

function plainMessage(message: QueueMessage): QueueMessageOf {
  const { id, name, createdAt } = message;
  return { id, name, body: message.value(), createdAt };
}

function wholeOf(option: string, value: unknown, least: number): number {
  if (typeof value === "number" && Number.isInteger(value) && value >= least) return value;
  throw queueErrors.invalidOption(option, `a whole number, ${least} or more`);
}

function isAborted(cause: unknown): boolean {
  return TroupeError.is(cause) && cause.group === "actor" && cause.code === "aborted";
}

/** Of a message that isn't its receiver's any more. */
function overError({ id, givenBack }: QueueMessage): Error {
  return givenBack ? queueErrors.deliveryOver(id) : queueErrors.alreadyCompleted(id);
}
