/**
 * A call of a tool that runs elsewhere: all that stands in front of the tool is asked, and nothing tells that it ran.
 *
 * Guardrails and request intercepts as in `tool-call.ts`; then execution intercepts, as far as the last one's `next`. What is behind it
 * happens elsewhere, so nothing ever answers it: where `next` is called the arguments are known, and all that waits is given up. One that
 * answers itself has kept the tool from running, and there is nobody to take its answer.
 */
import { relayErrors } from "../errors.ts";
import { runAround } from "./around.ts";
import { type Call, type CallOptions, type CallParts, callWith } from "./call-parts.ts";
import { askAboutTool, rewrittenArgs } from "./tool-call.ts";

/** The arguments that the tool is to run with. Throws `relay.answered_in_place`, and what a managed call would throw before its tool. */
export function askToolElsewhere(
  parts: CallParts,
  name: string,
  args: unknown,
  options: CallOptions,
): Promise<unknown> {
  return callWith(parts, name, options, async (call) => {
    await askAboutTool(call, args);
    return await argsAtTool(call, await rewrittenArgs(call, args));
  });
}

async function argsAtTool(call: Call, args: unknown): Promise<unknown> {
  const entries = call.chains.of("tool_execution_intercept");
  if (entries.length === 0) return args;
  const { promise: reached, resolve } = Promise.withResolvers<unknown>();
  const unanswered = new Promise<never>(() => {});
  const around = async (): Promise<never> =>
    await runAround<"tool_execution_intercept", unknown, never>(
      call,
      {
        entries,
        inner: (input) => {
          resolve(input);
          return unanswered;
        },
        payload: (input) => ({ toolName: call.name, args: input, toolCallId: null }),
        next: (rest) => rest,
        outcome: ({ name }) => {
          throw relayErrors.answeredInPlace(call.name, name);
        },
      },
      args,
    );
  try {
    return await Promise.race([reached, around()]);
  } finally {
    call.root.cancel(relayErrors.aborted(call.name, "it runs elsewhere"));
  }
}
