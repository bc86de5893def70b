/**
 * An agent without a model: it does what its prompt says, line by line, over the official SDK's agent side.
 *
 *   stream 5            five message chunks
 *   read /path          asks for a file, and says what is in it
 *   write /path text    writes a file
 *   run command         runs a command in a terminal, and says what it printed
 *   ask {"title":"x"}   asks for permission, for this tool call or else something dangerous, and says what was chosen
 *   ask-later {…}       asks when its turn is over, and says what was chosen
 *   tell {"toolCallId"} tells of this update
 *   tool name {"a":1}   calls a tool of the first MCP server that it was given, and says what it got
 *   model text          asks its model at ANTHROPIC_BASE_URL, and says the status and the answer
 *   models              says where its models are
 *   servers             says which MCP servers it was given
 *   offers              says what of the sandbox it may use
 *   recall              says what it was told of the past
 *   wait                waits for a cancel
 *   whisper text        writes to stderr
 *   exit 3              ends the process in the middle of the turn
 *
 * `node scripted-agent.ts load` makes one that can load old sessions, and replays something while it does; `load-late` one that
 * replays much, beside its answer; `load-broken` one that says so and can't; `resume` one that can resume them; `load-no-resume` one
 * that says that it can do both, and can only load them; `load-broken-resume` one that says so and can do neither; `locked` one that wants to be told who asks, by its method "key"; `simple` one that takes no MCP
 * over HTTP; `timid` one whose mode can be set behind its first prompt only. It has two modes, calm and bold, and an option, depth.
 */
import { writeSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import {
  type AgentContext,
  agent,
  type McpServer,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  RequestError,
  type ToolCallUpdate,
} from "@agentclientprotocol/sdk";

const loads = process.argv[2] ?? "";
let past = "nothing";
const modes = {
  currentModeId: "calm",
  availableModes: [
    { id: "calm", name: "Calm" },
    { id: "bold", name: "Bold" },
  ],
};
const depth = (currentValue: string) => ({
  configOptions: [
    {
      type: "select" as const,
      id: "depth",
      name: "Depth",
      currentValue,
      options: [
        { value: "low", name: "Low" },
        { value: "high", name: "High" },
      ],
    },
  ],
});
let unlocked = loads !== "locked";
let servers: readonly McpServer[] = [];
let offers = "";
const cancels = new Map<string, () => void>();
let sessions = 0;
let prompted = loads !== "timid";

interface Turn {
  readonly client: AgentContext;
  readonly sessionId: string;
  say(text: string): Promise<void>;
}

type Step = (turn: Turn, rest: string) => Promise<"cancelled" | undefined>;

const steps: Readonly<Record<string, Step>> = {
  stream: async (turn, rest) => {
    for (let n = 1; n <= Number(rest); n += 1) await turn.say(String(n));
    return undefined;
  },
  read: async ({ client, sessionId, say }, path) => {
    try {
      const { content } = await client.request(methods.client.fs.readTextFile, { sessionId, path });
      await say(content);
    } catch (cause) {
      await say(`could not read: ${cause instanceof Error ? cause.message : String(cause)}`);
    }
    return undefined;
  },
  write: async ({ client, sessionId }, rest) => {
    const [path = "", ...content] = rest.split(" ");
    const request = { sessionId, path, content: content.join(" ") };
    await client.request(methods.client.fs.writeTextFile, request);
    return undefined;
  },
  run: async ({ client, sessionId, say }, command) => {
    const toolCallId = `run ${command}`;
    const tool = { toolCallId, title: command, kind: "execute", status: "pending" } as const;
    const update = { sessionUpdate: "tool_call", ...tool } as const;
    await client.notify(methods.client.session.update, { sessionId, update });
    await using terminal = await client.createTerminal({ sessionId, command });
    const { exitCode } = await terminal.waitForExit();
    const { output } = await terminal.currentOutput();
    const done = { sessionUpdate: "tool_call_update", toolCallId, status: "completed" } as const;
    await client.notify(methods.client.session.update, { sessionId, update: done });
    await say(`${exitCode}: ${output}`);
    return undefined;
  },
  ask: async ({ client, sessionId, say }, toolCall) => {
    await say(await ask(client, sessionId, toolCall));
    return undefined;
  },
  "ask-later": async ({ client, sessionId, say }, toolCall) => {
    setTimeout(async () => say(await ask(client, sessionId, toolCall)), 10);
    return undefined;
  },
  tell: async ({ client, sessionId }, update) => {
    await client.notify(methods.client.session.update, { sessionId, update: JSON.parse(update) });
    return undefined;
  },
  fail: async ({ client, sessionId }) => {
    const tool = { toolCallId: "fail", title: "a failure", status: "failed" } as const;
    const update = { sessionUpdate: "tool_call", ...tool } as const;
    await client.notify(methods.client.session.update, { sessionId, update });
    return undefined;
  },
  tool: async ({ say }, rest) => {
    const [name = "", ...args] = rest.split(" ");
    const server = servers.find((found) => "url" in found);
    if (server === undefined) throw new Error("no server");
    const ask = async (method: string, params: object, id?: number) => {
      const response = await fetch(server.url, {
        method: "POST",
        headers: Object.fromEntries(server.headers.map((header) => [header.name, header.value])),
        body: JSON.stringify({ jsonrpc: "2.0", id, method, params }),
      });
      const text = await response.text();
      return text === "" ? undefined : JSON.parse(text);
    };
    await ask("initialize", { protocolVersion: "2025-06-18" }, 1);
    await ask("notifications/initialized", {});
    const { result, error } = await ask("tools/call", { name, arguments: JSON.parse(args.join(" ")) }, 2);
    const said = error?.message ?? result.content[0].text;
    await say(result?.isError === true ? `error: ${said}` : said);
    return undefined;
  },
  model: async ({ say }, text) => {
    const response = await fetch(`${process.env.ANTHROPIC_BASE_URL}/v1/messages`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-api-key": "the agent's" },
      body: JSON.stringify({ model: "m", max_tokens: 9, messages: [{ role: "user", content: text }] }),
    });
    await say(`${response.status} ${await response.text()}`);
    return undefined;
  },
  models: async ({ say }) => {
    const { ANTHROPIC_BASE_URL, OPENAI_BASE_URL, GOOGLE_GEMINI_BASE_URL } = process.env;
    await say(JSON.stringify([ANTHROPIC_BASE_URL, OPENAI_BASE_URL, GOOGLE_GEMINI_BASE_URL]));
    return undefined;
  },
  servers: async ({ say }) => {
    await say(JSON.stringify(servers.map(({ name }) => name)));
    return undefined;
  },
  offers: async ({ say }) => {
    await say(offers);
    return undefined;
  },
  recall: async ({ say }) => {
    await say(past);
    return undefined;
  },
  wait: async ({ sessionId, say }) => {
    const cancelled = new Promise<void>((resolve) => cancels.set(sessionId, resolve));
    await say("waiting");
    await cancelled;
    return "cancelled";
  },
  whisper: async (_turn, text) => {
    // Without a buffer: it must be out before an exit that follows.
    writeSync(2, `${text}\n`);
    return undefined;
  },
  exit: async (_turn, code) => process.exit(Number(code)),
};

async function ask(client: AgentContext, sessionId: string, toolCall: string): Promise<string> {
  const { outcome } = await client.request(methods.client.session.requestPermission, {
    sessionId,
    toolCall: JSON.parse(toolCall || '{"toolCallId":"ask","title":"something dangerous"}') as ToolCallUpdate,
    options: [
      { optionId: "yes", name: "Yes", kind: "allow_once" },
      { optionId: "no", name: "No", kind: "reject_once" },
    ],
  });
  return outcome.outcome === "selected" ? outcome.optionId : outcome.outcome;
}

agent({ name: "scripted" })
  .onRequest("initialize", ({ params: { clientCapabilities } }) => {
    offers = JSON.stringify([clientCapabilities?.fs?.readTextFile, clientCapabilities?.terminal]);
    return {
      protocolVersion: PROTOCOL_VERSION,
      agentInfo: { name: "scripted", version: "1" },
      authMethods: loads === "locked" ? [{ id: "key", name: "A key" }] : [],
      agentCapabilities: {
        loadSession: loads.startsWith("load"),
        ...(loads.endsWith("resume") ? { sessionCapabilities: { resume: {} } } : {}),
        mcpCapabilities: { http: loads !== "simple" },
      },
    };
  })
  .onRequest("authenticate", () => {
    unlocked = true;
    return {};
  })
  .onRequest("session/new", ({ params: { mcpServers } }) => {
    if (!unlocked) throw RequestError.authRequired();
    servers = mcpServers;
    sessions += 1;
    return { sessionId: `agent-session-${process.pid}-${sessions}`, modes, ...depth("low") };
  })
  .onRequest("session/set_mode", ({ params: { modeId } }) => {
    if (!prompted || !modes.availableModes.some(({ id }) => id === modeId))
      throw RequestError.invalidParams();
    return {};
  })
  .onRequest("session/set_config_option", ({ params }) => {
    if (params.configId !== "depth") throw RequestError.invalidParams();
    return depth(String(params.value));
  })
  .onRequest("session/resume", () => {
    if (loads !== "resume") throw RequestError.resourceNotFound();
    return {};
  })
  .onRequest("session/load", async ({ params: { sessionId }, client }) => {
    if (loads.startsWith("load-broken")) throw RequestError.internalError();
    const update = {
      sessionUpdate: "agent_message_chunk",
      content: { type: "text", text: "an old word" },
    } as const;
    const replay = () => client.notify(methods.client.session.update, { sessionId, update });
    const replays = async () => {
      for (let n = 0; n < 20; n += 1) await replay();
    };
    if (loads === "load-late") void replays();
    else await replay();
    return {};
  })
  .onNotification("session/cancel", ({ params }) => cancels.get(params.sessionId)?.())
  .onRequest("session/prompt", async ({ params: { sessionId, prompt }, client }) => {
    const say = async (text: string) => {
      const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text } } as const;
      await client.notify(methods.client.session.update, { sessionId, update });
    };
    prompted = true;
    const texts = prompt.map((block) => (block.type === "text" ? block.text : ""));
    if (texts.length > 1) past = texts.shift() ?? past;
    const text = texts.join("\n");
    for (const line of text.split("\n").filter((line) => line !== "")) {
      const [name = "", ...rest] = line.split(" ");
      const step = steps[name];
      if (step === undefined) await say(`no such step: ${name}`);
      else if ((await step({ client, sessionId, say }, rest.join(" "))) === "cancelled")
        return { stopReason: "cancelled" };
    }
    return { stopReason: "end_turn" };
  })
  .connect(
    ndJsonStream(Writable.toWeb(process.stdout), Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>),
  );
