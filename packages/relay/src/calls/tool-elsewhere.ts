/**
 * A call of a tool that runs elsewhere: all that stands in front of the tool is asked, and nothing tells that it ran.
 *
 * Guardrails and request intercepts as in `tool-call.ts`; then execution intercepts, as far as the last one's `next`. What is behind it
 * happens elsewhere, so nothing ever answers it: where `next` is called the arguments are known, and all that waits is given up. One that
 * answers itself has kept the tool from running, and there is nobody to take its answer.
 */
import { relayErrors } from "../errors.ts";
import { attempt } from "../given.ts";
import { Invocation } from "../middleware/invocation.ts";
import { runAround } from "./around.ts";
import { type Call, type CallOptions, type CallParts, callWith } from "./call-parts.ts";
import { askAboutTool, rewrittenArgs } from "./tool-call.ts";

/** What may be said of such a call. */
export interface ElsewhereOptions extends CallOptions {
  /** Told who made other arguments of those that it was given; the last one counts. */
  readonly changed?: (by: string) => void;
}

/** The arguments that the tool is to run with. Throws `relay.answered_in_place`, and what a managed call would throw before its tool. */
export function askToolElsewhere(
  parts: CallParts,
  name: string,
  args: unknown,
  options: ElsewhereOptions,
): Promise<unknown> {
  return callWith(parts, name, options, async (call) => {
    await askAboutTool(call, args);
    const passed = options.changed === undefined ? undefined : comparing(args, options.changed);
    return await argsAtTool(call, await rewrittenArgs(call, args, passed), passed);
  });
}

type Passed = (by: string, args: unknown) => void;

/** As JSON, since an intercept may edit what it is given. */
function comparing(args: unknown, changed: (by: string) => void): Passed {
  let before = attempt(() => JSON.stringify(args));
  return (by, now) => {
    const text = attempt(() => JSON.stringify(now));
    if (text !== before) changed(by);
    before = text;
  };
}

async function argsAtTool(call: Call, args: unknown, passed: Passed | undefined): Promise<unknown> {
  const entries = call.chains.of("tool_execution_intercept");
  if (entries.length === 0) return args;
  const { promise: reached, resolve } = Promise.withResolvers<unknown>();
  const unanswered = new Promise<never>(() => {});
  // Of the one that has called its `next`.
  let at = -1;
  // Given up behind its end, and the call isn't.
  const root = new Invocation(call.root);
  const around = async (): Promise<never> =>
    await runAround<"tool_execution_intercept", unknown, never>(
      { ...call, root },
      {
        entries,
        inner: (input) => {
          passed?.(entries.at(-1)?.name ?? "", input);
          resolve(input);
          return unanswered;
        },
        payload: (input) => {
          const before = entries[at];
          at += 1;
          if (before !== undefined) passed?.(before.name, input);
          return { toolName: call.name, args: input, toolCallId: null };
        },
        next: (rest) => rest,
        outcome: ({ name }) => {
          throw relayErrors.answeredInPlace(call.name, name);
        },
      },
      args,
    );
  try {
    return await root.run(() => Promise.race([reached, around()]));
  } finally {
    root.cancel(relayErrors.aborted(call.name, "it runs elsewhere"));
  }
}
