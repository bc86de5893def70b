/**
 * A session as a trajectory (ATIF 1.7): made of its transcript when somebody asks, so that it is there for sessions of any age, also where
 * no relay was listening.
 *
 * A prompt is a step of the user. What the agent says and does up to its next words is one step of the agent's: its text, the
 * tools that it called, and what it saw of them. What Troupe itself says is a step of the system.
 */
import type { ContentBlock, ToolCall, ToolCallUpdate } from "@agentclientprotocol/sdk";
import type { AtifStep, AtifToolCall, AtifTrajectory } from "@troupe/relay/node";
import type { Entry, SessionEvent } from "../session-entry.ts";

/** Whose trajectory it is. */
export interface TrajectoryOf {
  readonly sessionId: string;
  readonly agent: string;
}

/** Takes a session's events in their order, page by page. */
export class TrajectoryBuilder {
  readonly #of: TrajectoryOf;
  readonly #steps: AtifStep[] = [];
  /** The step that each call of a tool belongs to. */
  readonly #calls = new Map<string, { readonly step: AtifStep; readonly call: AtifToolCall }>();

  constructor(of: TrajectoryOf) {
    this.#of = of;
  }

  add({ event }: Entry): void {
    if ("sessionUpdate" in event) this.#take(event);
  }

  get trajectory(): AtifTrajectory {
    const { sessionId, agent } = this.#of;
    return {
      schema_version: "ATIF-v1.7",
      session_id: sessionId,
      trajectory_id: sessionId,
      // The transcript doesn't tell an agent's version.
      agent: { name: agent, version: "unknown" },
      steps: this.#steps,
      final_metrics: {
        total_prompt_tokens: 0,
        total_completion_tokens: 0,
        total_cached_tokens: 0,
        total_steps: this.#steps.length,
      },
    };
  }

  #take(event: SessionEvent): void {
    switch (event.sessionUpdate) {
      case "user_message_chunk":
        this.#say("user", event.content);
        break;
      case "agent_message_chunk":
        this.#say("agent", event.content);
        break;
      case "tool_call":
      case "tool_call_update":
        this.#called(event);
        break;
      case "_prompt_interrupted":
        this.#push("system", "The process ended in the middle of a prompt");
        break;
      case "_session_restarted":
        this.#push("system", "The agent began anew, and was told the transcript");
        break;
    }
  }

  #say(source: "user" | "agent", content: ContentBlock): void {
    const text = content.type === "text" ? content.text : `[${content.type}]`;
    const last = this.#steps.at(-1);
    // Words behind a tool are those of the next answer of its model.
    if (last?.source === source && last.tool_calls === undefined) last.message += text;
    else this.#push(source, text);
  }

  #called(update: ToolCall | ToolCallUpdate): void {
    const { toolCallId, title, rawInput, status } = update;
    const { step, call } = this.#calls.get(toolCallId) ?? this.#begin(toolCallId);
    if (title != null && title !== "") call.function_name = title;
    if (rawInput !== undefined) call.arguments = plain(rawInput);
    if (status !== "completed" && status !== "failed") return;
    step.observation ??= { results: [] };
    step.observation.results.push({
      source_call_id: toolCallId,
      content: shown(update),
      extra: { status },
    });
  }

  #begin(toolCallId: string): { readonly step: AtifStep; readonly call: AtifToolCall } {
    const last = this.#steps.at(-1);
    const step = last?.source === "agent" ? last : this.#push("agent", "");
    const call = { tool_call_id: toolCallId, function_name: "unknown", arguments: {} };
    step.tool_calls = [...(step.tool_calls ?? []), call];
    const begun = { step, call };
    this.#calls.set(toolCallId, begun);
    return begun;
  }

  #push(source: AtifStep["source"], message: string): AtifStep {
    const step = { step_id: this.#steps.length + 1, source, message };
    this.#steps.push(step);
    return step;
  }
}

/** What a tool gave, as text. */
function shown({ content, rawOutput }: ToolCall | ToolCallUpdate): string {
  const texts = (content ?? []).map((part) => {
    if (part.type === "diff") return part.newText;
    return part.type === "content" && part.content.type === "text" ? part.content.text : `[${part.type}]`;
  });
  if (texts.length > 0) return texts.join("\n");
  if (rawOutput === undefined) return "";
  return typeof rawOutput === "string" ? rawOutput : JSON.stringify(rawOutput);
}

/** It came as JSON, and so it is. */
function plain(value: unknown): AtifToolCall["arguments"] {
  return value as AtifToolCall["arguments"];
}
