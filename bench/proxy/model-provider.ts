/** A scripted model provider on loopback: whole answers, streams of 32 chunks, and streams as long as they are asked for. */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

const CHUNK = 256 * 1024;

const usage = { input_tokens: 1_000, output_tokens: 200 };
const text = "The quick brown fox jumps over the lazy dog. ".repeat(40);
const whole = JSON.stringify({
  type: "message",
  model: "m-1",
  role: "assistant",
  content: [{ type: "text", text }],
  usage,
});
const delta = (n: number) => ({
  type: "content_block_delta",
  index: 0,
  delta: { type: "text_delta", text: `part ${n} ` },
});
const start = {
  type: "message_start",
  message: { type: "message", model: "m-1", role: "assistant", content: [], usage },
};
const deltas = Array.from({ length: 29 }, (_none, n) => eventOf(delta(n)));
const stream = [
  eventOf(start),
  eventOf({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
  ...deltas,
  eventOf({ type: "message_stop" }),
];

/** What an agent sends: 4 KiB. */
export function question(streamed: boolean): Buffer {
  const content = "a question of some length ".repeat(150);
  return Buffer.from(
    JSON.stringify({ model: "m-1", stream: streamed, messages: [{ role: "user", content }] }),
  );
}

/** One that listens. `x-bench-bytes` of a request asks for a stream of that length. */
export class ModelProvider implements AsyncDisposable {
  readonly #server: Server = createServer((request, response) => {
    request.resume();
    request.once(
      "end",
      () => void answer(response, Number(request.headers["x-bench-bytes"] ?? 0), request.url ?? ""),
    );
  });

  static async start(): Promise<ModelProvider> {
    const provider = new ModelProvider();
    provider.#server.listen(0, "127.0.0.1");
    await once(provider.#server, "listening");
    return provider;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

async function answer(response: ServerResponse, bytes: number, url: string): Promise<void> {
  if (!url.includes("stream")) {
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(whole),
    });
    response.end(whole);
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const chunk = Buffer.alloc(CHUNK, `data: ${"x".repeat(1_000)}\n\n`);
  for (let sent = 0; sent < bytes && !response.destroyed; sent += CHUNK)
    if (!response.write(chunk)) await room(response);
  if (bytes === 0) for (const event of stream) response.write(event);
  response.end();
}

/** Settles when more can be written, or nobody reads any more. */
async function room(response: ServerResponse): Promise<void> {
  const abort = new AbortController();
  const { signal } = abort;
  await Promise.race([once(response, "drain", { signal }), once(response, "close", { signal })]);
  abort.abort();
}

function eventOf(data: Readonly<Record<string, unknown>>): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}
