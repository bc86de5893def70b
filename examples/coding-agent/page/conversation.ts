/** The conversation: the session's events, one after the other, as what people see. */
import type { Entry } from "troupe/agent-os/client";

type SessionEvent = Extract<Entry["event"], { readonly sessionUpdate: string }>;
type ToolEvent = Extract<SessionEvent, { readonly sessionUpdate: "tool_call" | "tool_call_update" }>;

/** A question of the agent that waits for an answer. */
export interface Question {
  readonly requestId: string;
  readonly options: readonly { readonly optionId: string; readonly name: string; readonly kind: string }[];
}

/** Something that was said. */
export interface Saying {
  readonly kind: "user" | "agent" | "note";
  readonly key: string;
  text: string;
}

/** Something that the agent does. */
export interface Doing {
  readonly kind: "tool";
  readonly key: string;
  title: string;
  status: "pending" | "in_progress" | "completed" | "failed";
  /** What it wrote, or what came of it. */
  output: string;
  question: Question | undefined;
}

/** One thing in the conversation. */
export type Item = Saying | Doing;

/** What has been said and done so far. */
export class Conversation {
  readonly items: Item[] = [];

  /** Takes the next event. True when files may have changed by it. */
  take({ event, sequence }: Entry): boolean {
    if (!("sessionUpdate" in event)) return false;
    switch (event.sessionUpdate) {
      case "user_message_chunk":
        this.#say("user", event.content, sequence);
        return false;
      case "agent_message_chunk":
        this.#say("agent", event.content, sequence);
        return false;
      case "tool_call":
      case "tool_call_update":
        return this.#do(event);
      case "_permission_request":
        this.#doing(event.toolCall.toolCallId).question = event;
        return false;
      case "_permission_response":
        for (const item of this.items)
          if (item.kind === "tool" && item.question?.requestId === event.requestId) item.question = undefined;
        return false;
      case "_prompt_interrupted":
        this.#note("This was interrupted; nobody knows how far the agent came.", sequence);
        return false;
      case "_session_restarted":
        this.#note("The agent began anew, and was told what has been said.", sequence);
        return false;
      default:
        return false;
    }
  }

  #say(kind: "user" | "agent", content: { readonly type: string; text?: string }, sequence: number): void {
    const text = content.type === "text" ? (content.text ?? "") : `[${content.type}]`;
    const last = this.items.at(-1);
    if (kind === "agent" && last?.kind === "agent") last.text += text;
    else this.items.push({ kind, key: `${kind} ${sequence}`, text });
  }

  #note(text: string, sequence: number): void {
    this.items.push({ kind: "note", key: `note ${sequence}`, text });
  }

  #do({ toolCallId, title, status, content }: ToolEvent): boolean {
    const doing = this.#doing(toolCallId);
    if (title != null) doing.title = title;
    if (status != null) doing.status = status;
    for (const part of content ?? []) {
      if (part.type === "diff") doing.output = part.newText;
      if (part.type === "content" && part.content.type === "text") doing.output = part.content.text;
    }
    return status === "completed";
  }

  #doing(toolCallId: string): Doing {
    const key = `tool ${toolCallId}`;
    for (const item of this.items) if (item.kind === "tool" && item.key === key) return item;
    const doing: Doing = { kind: "tool", key, title: "", status: "pending", output: "", question: undefined };
    this.items.push(doing);
    return doing;
  }
}
