/**
 * A managed tool call, step by step:
 *
 * 1. Conditional guardrails. A no ends it here, and there is no scope of the tool.
 * 2. Request intercepts rewrite the arguments.
 * 3. The tool's scope opens, and the start event is emitted.
 * 4. Execution intercepts, around the tool. Both run in the tool's scope.
 * 5. The end event is emitted, then the marks that the intercepts asked for, the innermost one's first.
 * 6. The caller gets what the intercepts answered, untouched by sanitizers.
 *
 * A call that fails after step 3 has an end event with the error and without output; its pending marks are lost, and
 * the caller gets what the tool throws as it was thrown, and an intercept's own failure as `relay.middleware_failed`.
 */
import { relayErrors } from "../errors.ts";
import type { PendingMark } from "../events/event.ts";
import { checkFunction } from "../given.ts";
import { type Invocation, isThenable } from "../middleware/invocation.ts";
import { invoke, type MaybePromise } from "../middleware/invoke.ts";
import type { ToolExecutionOutcome, ToolExecutionResult } from "../middleware/payloads.ts";
import type { Scope } from "../scope/scope.ts";
import { runAround } from "./around.ts";
import {
  type Call,
  type CallContext,
  type CallOptions,
  type CallParts,
  callWith,
  InnerContext,
} from "./call-parts.ts";
import { askGuardrails, refusal, remembered } from "./conditional.ts";
import { ToolScope } from "./tool-scope.ts";

/** What may be said of a tool call. */
export interface ToolCallOptions extends CallOptions {
  /** The id that a model gave the call. */
  readonly toolCallId?: string;
}

/** The tool itself. */
export type ToolFunction = (
  args: unknown,
  context: CallContext,
) => ToolExecutionResult | PromiseLike<ToolExecutionResult>;

/** Runs a tool under all middleware that is visible. What answers at once isn't waited for: most calls are one promise. */
export function toolCall(
  parts: CallParts,
  request: { readonly name: string; readonly args: unknown; readonly fn: ToolFunction },
  options: ToolCallOptions,
): Promise<ToolExecutionResult> {
  const { name, args, fn } = request;
  return callWith(parts, name, options, async (call) => {
    checkFunction(fn, "The tool");
    const asked = askAboutTool(call, args);
    if (asked instanceof Promise) await asked;
    const intercepted = call.chains.of("tool_request_intercept").length > 0;
    const real = intercepted ? await rewrittenArgs(call, args) : args;
    const tool = new ToolScope(call, options, real);
    try {
      const marks: PendingMark[] = [];
      const execution = { fn, options, scope: tool.scope, marks };
      const answer = parts.scopes.run(tool.scope, () => execute(call, execution, real));
      const { result, annotation } = answer instanceof Promise ? await answer : answer;
      tool.succeeded(result, annotation, marks);
      return annotation === undefined ? { result } : { result, annotation };
    } catch (error) {
      tool.failed(error);
      throw error;
    } finally {
      tool.end();
    }
  });
}

/** Throws, or rejects, unless all guardrails let the tool run with `args`. At once where all of them answer at once. */
export function askAboutTool(call: Call, args: unknown): MaybePromise<void> {
  const guardrails = call.chains.of("tool_conditional_execution_guardrail");
  const asked = askGuardrails(call, guardrails, { toolName: call.name, args });
  return asked instanceof Promise ? asked.then(remembered(call, args)) : asked;
}

/** The arguments behind all request intercepts. `passed`: told of those behind each. */
export async function rewrittenArgs(
  call: Call,
  args: unknown,
  passed?: (by: string, args: unknown) => void,
): Promise<unknown> {
  let real = args;
  for (const entry of call.chains.of("tool_request_intercept")) {
    try {
      const answer = invoke(entry, { toolName: call.name, args: real }, call.root, call.parts.env.timers);
      real = answer instanceof Promise ? await answer : answer;
      if (real === undefined)
        throw relayErrors.badAnswer(`The intercept "${entry.name}"`, "the arguments, or others");
    } catch (error) {
      throw refusal(call, entry, error);
    }
    passed?.(entry.name, real);
    if (entry.breakChain) break;
  }
  return real;
}

interface Execution {
  readonly fn: ToolFunction;
  readonly options: ToolCallOptions;
  readonly scope: Scope;
  readonly marks: PendingMark[];
}

function execute(
  call: Call,
  { fn, options, scope, marks }: Execution,
  args: unknown,
): MaybePromise<ToolExecutionResult> {
  const check = (answer: ToolExecutionResult): ToolExecutionResult =>
    checked(answer, `The tool "${call.name}"`);
  const inner = (input: unknown, invocation: Invocation): MaybePromise<ToolExecutionResult> => {
    const answer = fn(input, new InnerContext(invocation, scope));
    return isThenable(answer) ? Promise.resolve(answer).then(check) : check(answer);
  };
  return runAround<"tool_execution_intercept", unknown, ToolExecutionResult>(
    call,
    {
      entries: call.chains.of("tool_execution_intercept"),
      inner,
      payload: (input) => ({ toolName: call.name, args: input, toolCallId: options.toolCallId ?? null }),
      next: (rest) => rest,
      outcome: (entry, answer) => {
        const outcome: ToolExecutionOutcome = checked(answer, `The intercept "${entry.name}"`);
        marks.push(...(outcome.pendingMarks ?? []));
        return outcome;
      },
    },
    args,
  );
}

function checked<T extends ToolExecutionResult>(answer: T, what: string): T {
  if (typeof answer === "object" && answer !== null && "result" in answer) return answer;
  throw relayErrors.badAnswer(what, "an object with a result");
}
