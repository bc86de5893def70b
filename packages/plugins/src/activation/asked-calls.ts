/**
 * Tools and models of a plugin's actors, called under the host's relay: the middleware is the host's, and the tool itself is the plugin's,
 * which is called where all that stands in front of it lets it run.
 *
 * A call that is open has a controller, by the number of its question: whoever asked may give it up, and the session's end does.
 */
import { limits } from "@troupe/protocol";
import {
  type CallContext,
  type CallOptions,
  propagationContextToJson,
  type Relay,
  type Scope,
} from "@troupe/relay";
import { hostErrors } from "../session/host-errors.ts";
import type { CodeOptions, HostQuestion } from "../session/host-questions.ts";
import type { AskedFields } from "./asked-fields.ts";
import { llmCallOf, requestOf, toolCallOf } from "./asked-options.ts";
import { AskedStream } from "./asked-stream.ts";
import { LentModel } from "./lent-model.ts";

/** What a call is made with. */
export interface AskedCall {
  readonly question: HostQuestion;
  readonly fields: AskedFields;
  readonly parent: { readonly parent?: Scope };
}

/** Those of one session. */
export class AskedCalls {
  readonly #relay: Relay;
  readonly #open = new Map<number, AbortController>();
  readonly #streams = new Map<number, AskedStream>();

  constructor(relay: Relay) {
    this.#relay = relay;
  }

  tool({ question, fields, parent }: AskedCall): Promise<unknown> {
    const name = fields.text("name");
    return this.#call(question, async (signal) => {
      const options = { ...toolCallOf(fields), ...parent, signal };
      const run = async (args: unknown, context: CallContext) => ({
        result: await question.run(args, this.#codeOptions(context)),
      });
      const { result } = await this.#relay.toolCallExecute(name, fields.any("args"), run, options);
      return { result };
    });
  }

  model({ question, fields, parent }: AskedCall): Promise<unknown> {
    const name = fields.text("name");
    const request = requestOf(fields);
    return this.#call(question, async (signal) => {
      const options = { ...llmCallOf(fields), ...parent, signal };
      const run = (given: unknown, context: CallContext) => question.run(given, this.#codeOptions(context));
      return { result: await this.#relay.llmCallExecute(name, request, run, options) };
    });
  }

  /** Its question stays open while the stream is: so long its model may be called. */
  stream({ question, fields, parent }: AskedCall): Promise<unknown> {
    const name = fields.text("name");
    const request = requestOf(fields);
    return this.#call(question, async (signal) => {
      const options = { ...llmCallOf(fields), ...parent, signal };
      const model = new LentModel(question, (context) => this.#codeOptions(context));
      const opening = this.#relay.llmStreamCallExecute(
        name,
        request,
        (given, context) => model.open(given, context),
        options,
      );
      const stream = new AskedStream(opening, signal);
      this.#streams.set(question.call, stream);
      try {
        await stream.over;
        await model.closed();
      } finally {
        this.#streams.delete(question.call);
      }
    });
  }

  /** Of one that is over, whoever asked late reads that it is. */
  readStream(fields: AskedFields): Promise<unknown> {
    const call = numberOf(fields.any("call"));
    const act = fields.oneOf("act", ["opened", "next", "close"]);
    return this.#streams.get(call)?.[act]() ?? Promise.resolve({ done: true });
  }

  /** One that isn't open has been answered meanwhile. */
  abort(call: unknown): void {
    this.#open.get(numberOf(call))?.abort();
  }

  /** Nobody waits for any of them. */
  end(): void {
    for (const controller of this.#open.values()) controller.abort();
    for (const stream of this.#streams.values()) void stream.close();
  }

  async #call(
    { call }: HostQuestion,
    run: (signal: NonNullable<CallOptions["signal"]>) => Promise<unknown>,
  ): Promise<unknown> {
    if (call === 0) throw hostErrors.askInvalid("call", "a number: what is called has an answer");
    if (this.#open.size >= limits.pluginCalls) throw hostErrors.tooMany("calls", limits.pluginCalls);
    const controller = new AbortController();
    this.#open.set(call, controller);
    try {
      return await run(controller.signal);
    } finally {
      this.#open.delete(call);
    }
  }

  #codeOptions({ signal, scope }: CallContext): CodeOptions {
    const context = this.#relay.capturePropagationContext(scope);
    return { signal, ...(context && { scope: propagationContextToJson(context) }) };
  }
}

function numberOf(call: unknown): number {
  if (typeof call !== "number") throw hostErrors.askInvalid("call", "the number of a question");
  return call;
}
