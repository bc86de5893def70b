/**
 * ToolCalls: what an agent does in one turn, as the relay sees it: each of its tool calls is a scope below the prompt's.
 *
 * An agent runs its tools by itself and tells of them, in pieces: which tool first, its arguments when they are whole. A call begins with
 * what says enough of it, and ends with its result, its failure, or the turn. A guardrail can't keep a call from being told; but when one
 * refuses it, the permission that the agent asks for it is refused too, whatever the policy says. So each question is decided on as
 * it is asked: what was decided on less, on something else, or at an earlier question of that name, doesn't count.
 */
import type { SessionUpdate, ToolCallUpdate } from "@agentclientprotocol/sdk";
import { TroupeError } from "@troupe/base";
import type { ModelCaller } from "@troupe/relay/model-proxy";
import type { ActorContext } from "@troupe/runtime";
import { agentErrors } from "../errors.ts";

/** What is used of a context that may have a relay. */
export type ToolRunner = Pick<ActorContext, "llm" | "scope" | "tool">;

interface OpenCall {
  /** What it was decided on, as text. */
  readonly about: string;
  /** True when nobody has refused it. */
  readonly allowed: Promise<boolean>;
  readonly complete: (result: unknown) => void;
  readonly fail: (error: TroupeError) => void;
}

/** What an agent calls by one name, until that is over. */
interface AgentCall {
  /** All that was told of it, the last word of each. */
  told: ToolCallUpdate;
  /** Undefined until enough was told. */
  open: OpenCall | undefined;
  /** A question was put about it. */
  asked: boolean;
  over: boolean;
}

/** The tool calls of one prompt. */
export class ToolCalls {
  readonly #runner: ToolRunner;
  readonly #calls = new Map<string, AgentCall>();

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
    const { sessionUpdate, ...told } = update;
    // Of one that is over more may be told; what begins again is another one.
    if (sessionUpdate === "tool_call_update" && this.#calls.get(told.toolCallId)?.over === true) return;
    const call = this.#callOf(told);
    call.over = told.status === "completed" || told.status === "failed";
    if (!call.over && isUnsaid(call.told)) return;
    call.open ??= this.#begin(call.told);
    if (told.status === "completed") call.open.complete(told.rawOutput ?? told.content ?? null);
    if (told.status === "failed") call.open.fail(agentErrors.toolFailed(nameOf(call.told), "failed"));
  }

  /** False when middleware has refused the call, as it is asked about now. */
  permits(asked: ToolCallUpdate): Promise<boolean> {
    const call = this.#callOf(asked);
    if (call.asked || call.open?.about !== textOf(call.told)) {
      call.open?.fail(agentErrors.toolFailed(nameOf(call.told), "superseded"));
      call.open = this.#begin(call.told);
    }
    call.asked = true;
    return call.open.allowed;
  }

  /** Runs a tool of the program's own, below the prompt: it may be refused, and what it is given and gives be rewritten. */
  run<A, R>(name: string, args: A, fn: (args: A) => R | PromiseLike<R>): Promise<R> {
    return this.#runner.tool(name, args, (given: A) => fn(given), { parent: this.#parent });
  }

  /** The turn is over: what is open has no end of its own. */
  end(): void {
    for (const [id, call] of this.#calls) {
      call.open ??= this.#begin(call.told);
      call.open.fail(agentErrors.toolFailed(id, "unfinished"));
    }
  }

  /** With what is told of it now. */
  #callOf(told: ToolCallUpdate): AgentCall {
    const known = this.#calls.get(told.toolCallId);
    if (known === undefined || known.over) {
      const call = { told, open: undefined, asked: false, over: false };
      this.#calls.set(told.toolCallId, call);
      return call;
    }
    // In ACP what is null is as it was.
    const said = Object.entries(told).filter(([, value]) => value !== undefined && value !== null);
    known.told = { ...known.told, ...Object.fromEntries(said) };
    return known;
  }

  #begin(told: ToolCallUpdate): OpenCall {
    const done = Promise.withResolvers<unknown>();
    const allowed = Promise.withResolvers<boolean>();
    // Nobody waits for the result of a call that was refused.
    done.promise.catch(() => undefined);
    const run = () => {
      allowed.resolve(true);
      return done.promise;
    };
    // Middleware that answers in the place of a tool doesn't let it run.
    const refuse = () => allowed.resolve(false);
    this.#runner
      .tool(nameOf(told), argsOf(told), run, { toolCallId: told.toolCallId, parent: this.#parent })
      .then(refuse, refuse);
    return { about: textOf(told), allowed: allowed.promise, complete: done.resolve, fail: done.reject };
  }
}

function nameOf({ title, kind, toolCallId }: ToolCallUpdate): string {
  return title ?? kind ?? toolCallId;
}

function argsOf({ kind, rawInput, locations }: ToolCallUpdate) {
  return { kind, rawInput, locations };
}

function textOf(told: ToolCallUpdate): string {
  return JSON.stringify([nameOf(told), argsOf(told)]);
}

/** What waits may have arguments that are still to come. */
function isUnsaid({ status, rawInput }: ToolCallUpdate): boolean {
  return (status ?? "pending") === "pending" && JSON.stringify(rawInput ?? {}) === "{}";
}
