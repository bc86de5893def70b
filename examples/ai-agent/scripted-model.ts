/** A model that needs no network and always says the same: it remembers what it is asked to, and can tell it. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";

interface Asked {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
}

/** Serves it on a free port of this machine; resolves to its `MODEL_URL`. */
export async function serveScriptedModel(): Promise<string> {
  const server = createServer((request, response) => {
    json(request).then(
      (asked) => answer(asked as Asked, response),
      () => response.destroy(),
    );
  });
  // It ends with the program that asks it.
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function answer({ messages }: Asked, response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  const say = (delta: object) => response.write(`data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`);
  const last = messages.at(-1);
  const fact = last?.role === "user" ? /^Remember that (.*)\.$/.exec(last.content)?.[1] : undefined;
  if (fact !== undefined) {
    const call = { name: "remember", arguments: JSON.stringify({ fact }) };
    say({ tool_calls: [{ index: 0, id: `call-${messages.length}`, type: "function", function: call }] });
  } else {
    const text = last?.role === "tool" ? "I will." : (messages[0]?.content ?? "");
    for (const word of text.split(/(?<=\s)/)) say({ content: word });
  }
  response.end("data: [DONE]\n\n");
}
