/** The scope of a managed call of a tool, and its events. Where nobody hears them nothing is made for them. */
import type { CategoryProfile, PendingMark } from "../events/event.ts";
import { plainData } from "../events/plain-data.ts";
import type { Scope } from "../scope/scope.ts";
import type { Call } from "./call-parts.ts";
import type { ToolCallOptions } from "./tool-call.ts";

const noProfile: CategoryProfile = {};

/** A tool's scope, open. */
export class ToolScope {
  readonly scope: Scope;
  readonly #call: Call;

  /** Opens it, and emits the start event. */
  constructor(call: Call, options: ToolCallOptions, args: unknown) {
    const { parts, chains, name, parent } = call;
    const { toolCallId } = options;
    this.#call = call;
    this.scope = parts.scopes.openCall(name, "tool", parent, {
      options,
      profile: toolCallId === undefined ? noProfile : { tool_call_id: toolCallId },
    });
    if (!parts.recorder.heard(this.scope)) return;
    const copy = { entries: chains.of("tool_sanitize_request_guardrail"), name };
    parts.recorder.start(this.scope, args, { chains, copy });
  }

  /** It went well: its end event, unless somebody has ended it, then the marks that its intercepts asked for. */
  succeeded(result: unknown, annotation: unknown, marks: readonly PendingMark[]): void {
    const { parts, chains, name } = this.#call;
    const { recorder } = parts;
    if (!recorder.heard(this.scope)) return;
    if (parts.scopes.isOpen(this.scope))
      recorder.succeeded(this.scope, {
        chains,
        copy: { entries: chains.of("tool_sanitize_response_guardrail"), name },
        output: result,
        ...(annotation === undefined ? {} : { profile: { tool_result_annotation: plainData(annotation) } }),
      });
    for (const mark of marks) recorder.mark(this.scope, mark, { chains });
  }

  /** It didn't. */
  failed(error: unknown): void {
    const { parts, chains } = this.#call;
    if (parts.scopes.isOpen(this.scope)) parts.recorder.failed(this.scope, error, { chains });
  }

  /** Ends the scope, behind its end event. */
  end(): void {
    const { scopes, registry } = this.#call.parts;
    scopes.end(this.scope);
    registry.end(this.scope);
  }
}
