/**
 * A model that says what the test says, in the words of two providers: Gemini's generateContent and OpenAI's chat completions,
 * both streamed. It keeps what it was asked.
 */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What it says to one request. "hang": nothing, until the agent gives up. */
export type Said = { readonly text: string } | { readonly call: Call } | "hang";

interface Call {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export class ScriptedModel implements AsyncDisposable {
  /** The bodies of all requests, in order. */
  readonly asked: string[] = [];
  /** The keys that came with them, of Gemini's kind. */
  readonly keys = new Set<unknown>();
  readonly #server: Server;
  readonly #script: Said[] = [];
  #waiting: { readonly count: number; readonly reached: () => void }[] = [];

  private constructor() {
    this.#server = createServer(async (request, response) => {
      const body = await text(request);
      this.asked.push(body);
      this.keys.add(request.headers["x-goog-api-key"]);
      const reached = this.#waiting.filter(({ count }) => this.asked.length >= count);
      this.#waiting = this.#waiting.filter((waiting) => !reached.includes(waiting));
      for (const waiting of reached) waiting.reached();
      const said = this.#script.shift() ?? { text: "That is all." };
      if (said === "hang") return;
      response.writeHead(200, { "content-type": "text/event-stream" });
      if (request.url?.includes("generateContent") || request.url?.includes("GenerateContent"))
        gemini(said, response);
      else openAI(said, response);
    });
  }

  static async start(): Promise<ScriptedModel> {
    const model = new ScriptedModel();
    model.#server.listen(0, "127.0.0.1");
    await once(model.#server, "listening");
    return model;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What it says to the next requests; behind them "That is all.". */
  says(...script: readonly Said[]): void {
    this.#script.push(...script);
  }

  /** Settles when it has been asked so often. */
  wasAsked(count: number): Promise<void> {
    if (this.asked.length >= count) return Promise.resolve();
    return new Promise((reached) => this.#waiting.push({ count, reached }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

function gemini(said: Exclude<Said, "hang">, response: ServerResponse): void {
  const part = "text" in said ? { text: said.text } : { functionCall: said.call };
  const chunk = {
    candidates: [{ content: { role: "model", parts: [part] }, finishReason: "STOP" }],
    usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 2, totalTokenCount: 7 },
    modelVersion: "gemini-2.5-flash",
  };
  response.end(`data: ${JSON.stringify(chunk)}\n\n`);
}

function openAI(said: Exclude<Said, "hang">, response: ServerResponse): void {
  const called = (made: Call) => ({ name: made.name, arguments: JSON.stringify(made.args) });
  const delta =
    "text" in said
      ? { role: "assistant", content: said.text }
      : {
          role: "assistant",
          tool_calls: [
            { index: 0, id: `call-${said.call.name}`, type: "function", function: called(said.call) },
          ],
        };
  const chunk = (choice: object) => {
    const head = { id: "c", object: "chat.completion.chunk", created: 1, model: "scripted" };
    response.write(`data: ${JSON.stringify({ ...head, choices: [{ index: 0, ...choice }] })}\n\n`);
  };
  chunk({ delta, finish_reason: null });
  chunk({ delta: {}, finish_reason: "text" in said ? "stop" : "tool_calls" });
  response.end("data: [DONE]\n\n");
}
