/**
 * A model that answers in chunks and is a plugin's: opened where it is as often as intercepts say, and read from there chunk by chunk.
 *
 * Each time that it is opened has a number, for two may be open at once. Whoever gives one up has the plugin told, also where the
 * signal is all that says so.
 */
import { limits } from "@troupe/protocol";
import type { CallContext, LlmRequest } from "@troupe/relay";
import type { CodeOptions, HostQuestion } from "../session/host-questions.ts";

/** The chunk that the plugin gives, or the end. */
interface Given {
  readonly done: boolean;
  readonly value?: unknown;
}

/** That of one question. */
export class LentModel {
  readonly #question: HostQuestion;
  readonly #optionsOf: (context: CallContext) => CodeOptions;
  readonly #closing = new Set<Promise<void>>();
  #last = 0;

  constructor(question: HostQuestion, optionsOf: (context: CallContext) => CodeOptions) {
    this.#question = question;
    this.#optionsOf = optionsOf;
  }

  /** Calls it. Undefined where what it answers isn't a stream: the relay says so to who called. */
  async open(request: LlmRequest, context: CallContext): Promise<AsyncIterable<unknown>> {
    this.#last += 1;
    const stream = this.#last;
    const options = this.#optionsOf(context);
    const isStream = await this.#question.run({ act: "open", stream, request }, options);
    const chunks = new LentChunks(
      (act) => this.#question.run({ act, stream }, act === "close" ? { ...options, ...closing } : options),
      (closing) => this.#keep(closing),
    );
    if (context.signal.aborted) void chunks.return();
    else context.signal.addEventListener("abort", () => void chunks.return(), { once: true });
    return (isStream === true ? chunks : undefined) as AsyncIterable<unknown>;
  }

  /** All that were given up know it. Never rejects. */
  async closed(): Promise<void> {
    await Promise.all(this.#closing);
  }

  #keep(closing: Promise<void>): void {
    this.#closing.add(closing);
    void closing.then(() => this.#closing.delete(closing));
  }
}

/** Whoever gave it up, the plugin is told; one that never says that it has heard keeps nobody waiting for good. */
const closing = { signal: new AbortController().signal, timeoutMs: limits.pluginCloseTimeoutMs };

class LentChunks implements AsyncIterableIterator<unknown> {
  readonly #run: (act: "next" | "close") => Promise<unknown>;
  readonly #closing: (closing: Promise<void>) => void;
  #over = false;

  constructor(run: (act: "next" | "close") => Promise<unknown>, closing: (closing: Promise<void>) => void) {
    this.#run = run;
    this.#closing = closing;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<unknown>> {
    if (this.#over) return DONE;
    try {
      const { done, value } = (await this.#run("next")) as Given;
      if (!done) return { done, value };
    } catch (cause) {
      this.#over = true;
      throw cause;
    }
    this.#over = true;
    return DONE;
  }

  return(): Promise<IteratorResult<unknown>> {
    if (!this.#over) {
      this.#over = true;
      // Nobody hears what a model says that is given up, or that its plugin is gone.
      this.#closing(this.#run("close").then(nothing, nothing));
    }
    return Promise.resolve(DONE);
  }
}

const DONE: IteratorResult<unknown> = { done: true, value: undefined };

function nothing(): void {}
