/**
 * ToolCalls: what an agent does in one turn, as the relay sees it: each of its tool calls is a scope below the prompt's.
 *
 * An agent runs its tools by itself and tells of them: a call begins when it is first told of, and ends with its result, its
 * failure, or the turn. So a guardrail can't keep a call from being told; but when one refuses it, the permission that the
 * agent asks for it is refused too, whatever the policy says.
 */
import type { SessionUpdate, ToolCallUpdate } from "@agentclientprotocol/sdk";
import { TroupeError } from "@troupe/base";
import type { ModelCaller } from "@troupe/relay/model-proxy";
import type { ActorContext } from "@troupe/runtime";
import { agentErrors } from "../errors.ts";

/** What is used of a context that may have a relay. */
export type ToolRunner = Pick<ActorContext, "llm" | "scope" | "tool">;

interface OpenCall {
  /** True when nobody has refused it. */
  readonly allowed: Promise<boolean>;
  readonly complete: (result: unknown) => void;
  readonly fail: (error: TroupeError) => void;
}

/** The tool calls of one prompt. */
export class ToolCalls {
  readonly #runner: ToolRunner;
  readonly #calls = new Map<string, OpenCall>();

  /** The prompt's; what an agent tells is read in whatever scope its process was started in. */
  readonly #parent: ToolRunner["scope"];

  private constructor(runner: ToolRunner) {
    this.#runner = runner;
    this.#parent = runner.scope;
  }

  /** Undefined where there is no relay. */
  static of(runner: ToolRunner): ToolCalls | undefined {
    try {
      return new ToolCalls(runner);
    } catch (cause) {
      if (TroupeError.is(cause) && cause.code === "no_relay") return undefined;
      throw cause;
    }
  }

  /** Calls of the agent's model, below the prompt. What is no call of one says nothing. */
  get models(): ModelCaller {
    const parent = this.#parent;
    return {
      llmCallExecute: (name, request, fn, options) =>
        this.#runner.llm(name, request, fn, { ...options, parent }),
      event: () => undefined,
    };
  }

  /** The agent has told of something. */
  seen(update: SessionUpdate): void {
    if (update.sessionUpdate !== "tool_call" && update.sessionUpdate !== "tool_call_update") return;
    const call = this.#callOf(update);
    if (update.status === "completed") call.complete(update.rawOutput ?? update.content ?? null);
    if (update.status === "failed") call.fail(agentErrors.toolFailed(nameOf(update), "failed"));
  }

  /** False when middleware has refused the call. */
  permits(call: ToolCallUpdate): Promise<boolean> {
    return this.#callOf(call).allowed;
  }

  /** Runs a tool of the program's own, below the prompt: it may be refused, and what it is given and gives be rewritten. */
  run<A, R>(name: string, args: A, fn: (args: A) => R | PromiseLike<R>): Promise<R> {
    return this.#runner.tool(name, args, (given: A) => fn(given), { parent: this.#parent });
  }

  /** The turn is over: what is open has no end of its own. */
  end(): void {
    for (const [id, { fail }] of this.#calls) fail(agentErrors.toolFailed(id, "unfinished"));
  }

  #callOf(update: ToolCallUpdate): OpenCall {
    const known = this.#calls.get(update.toolCallId);
    if (known !== undefined) return known;
    const done = Promise.withResolvers<unknown>();
    const allowed = Promise.withResolvers<boolean>();
    // Nobody waits for the result of a call that was refused.
    done.promise.catch(() => undefined);
    const { toolCallId, kind, rawInput, locations } = update;
    const run = () => {
      allowed.resolve(true);
      return done.promise;
    };
    this.#runner
      .tool(nameOf(update), { kind, rawInput, locations }, run, { toolCallId, parent: this.#parent })
      .catch(() => allowed.resolve(false));
    const call = { allowed: allowed.promise, complete: done.resolve, fail: done.reject };
    this.#calls.set(toolCallId, call);
    return call;
  }
}

function nameOf({ title, kind, toolCallId }: ToolCallUpdate): string {
  return title ?? kind ?? toolCallId;
}
