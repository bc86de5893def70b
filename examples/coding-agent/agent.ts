/**
 * A coding agent: a model, three tools, and ACP on stdin and stdout. What it reads, writes and runs it asks its client for, so all of it
 * happens in the sandbox.
 */
import { Readable, Writable } from "node:stream";
import {
  type AgentContext,
  agent,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  type SessionUpdate,
  type ToolCallUpdate,
} from "@agentclientprotocol/sdk";
import { complete, type Message, type ToolCall } from "./model.ts";
import { tools } from "./tools.ts";

/** A model that never comes to an end is ended. */
const MOST_STEPS = 40;
const SYSTEM = `You are a coding agent. You work in /home/user of a small sandbox with a POSIX shell and its usual commands, without a network.
Use the tools to read, write and run things, and say shortly what you do. End with a short summary.`;

interface Session {
  readonly messages: Message[];
  /** Of the turn that runs. */
  abort: AbortController;
}

const sessions = new Map<string, Session>();

agent({ name: "coder" })
  .onRequest("initialize", () => ({
    protocolVersion: PROTOCOL_VERSION,
    agentInfo: { name: "coder", version: "1" },
    agentCapabilities: {},
  }))
  .onRequest("session/new", () => {
    const sessionId = crypto.randomUUID();
    const messages: Message[] = [{ role: "system", content: SYSTEM }];
    sessions.set(sessionId, { messages, abort: new AbortController() });
    return { sessionId };
  })
  .onNotification("session/cancel", ({ params }) => sessions.get(params.sessionId)?.abort.abort())
  .onRequest("session/prompt", async ({ params: { sessionId, prompt }, client }) => {
    const session = sessions.get(sessionId);
    if (session === undefined) throw new Error("There is no such session");
    session.abort = new AbortController();
    const content = prompt.map((block) => (block.type === "text" ? block.text : "")).join("\n");
    session.messages.push({ role: "user", content });
    try {
      return { stopReason: await new Turn(client, sessionId, session).run() };
    } catch (cause) {
      if (session.abort.signal.aborted) return { stopReason: "cancelled" };
      throw cause;
    }
  })
  .connect(
    ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>),
  );

/** From a prompt to the answer behind its last tool. */
class Turn {
  readonly #client: AgentContext;
  readonly #sessionId: string;
  readonly #session: Session;
  /** Updates leave in their order. */
  #told: Promise<unknown> = Promise.resolve();

  constructor(client: AgentContext, sessionId: string, session: Session) {
    this.#client = client;
    this.#sessionId = sessionId;
    this.#session = session;
  }

  async run(): Promise<"end_turn" | "max_turn_requests" | "cancelled"> {
    const { messages, abort } = this.#session;
    for (let step = 0; step < MOST_STEPS; step += 1) {
      const answer = await complete(messages, {
        tools: Object.values(tools).map(({ declaration }) => declaration),
        signal: abort.signal,
        onText: (text) =>
          this.#tell({ sessionUpdate: "agent_message_chunk", content: { type: "text", text } }),
      });
      messages.push(answer);
      const calls = answer.role === "assistant" ? answer.calls : [];
      for (const call of calls)
        messages.push({ role: "tool", callId: call.id, content: await this.#call(call) });
      await this.#told;
      if (abort.signal.aborted) return "cancelled";
      if (calls.length === 0) return "end_turn";
    }
    return "max_turn_requests";
  }

  /** What the model is told of a tool: its result, or why there is none. */
  async #call(call: ToolCall): Promise<string> {
    const tool = tools[call.name];
    if (tool === undefined) return `There is no tool ${call.name}`;
    const toolCallId = crypto.randomUUID();
    const title = tool.title(call.args);
    const known = { toolCallId, title, kind: tool.kind, rawInput: call.args } as const;
    this.#tell({ sessionUpdate: "tool_call", ...known, status: "pending", content: tool.shows(call.args) });
    try {
      if (tool.asks && !(await this.#mayCall(known))) throw new Error("The user doesn’t want that");
      this.#tell({ sessionUpdate: "tool_call_update", toolCallId, status: "in_progress" });
      const place = { client: this.#client, sessionId: this.#sessionId };
      const { text, shown } = await tool.run(place, call.args);
      this.#tell({ sessionUpdate: "tool_call_update", toolCallId, status: "completed", content: shown });
      return text;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const content = [{ type: "content" as const, content: { type: "text" as const, text: why } }];
      this.#tell({ sessionUpdate: "tool_call_update", toolCallId, status: "failed", content });
      return `It failed: ${why}`;
    }
  }

  async #mayCall(toolCall: ToolCallUpdate): Promise<boolean> {
    // What was said before the question is heard before it.
    await this.#told;
    const { outcome } = await this.#client.request(methods.client.session.requestPermission, {
      sessionId: this.#sessionId,
      toolCall,
      options: [
        { optionId: "allow", name: "Allow", kind: "allow_once" },
        { optionId: "reject", name: "Don’t", kind: "reject_once" },
      ],
    });
    return outcome.outcome === "selected" && outcome.optionId === "allow";
  }

  #tell(update: SessionUpdate): void {
    const notification = { sessionId: this.#sessionId, update };
    const next = () => this.#client.notify(methods.client.session.update, notification);
    this.#told = this.#told.then(next, next);
  }
}
