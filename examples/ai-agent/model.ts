/** Asks a language model over the API that most of them speak: chat completions, streamed as server-sent events. */

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
}

export type Message =
  | { readonly role: "user"; readonly content: string }
  | { readonly role: "assistant"; readonly content: string; readonly calls: readonly ToolCall[] }
  | { readonly role: "tool"; readonly callId: string; readonly content: string };

/** A piece of an answer. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "call"; readonly call: ToolCall };

interface Prompt {
  readonly facts: readonly string[];
  readonly messages: readonly Message[];
}

interface Terms {
  readonly tools: readonly { readonly name: string }[];
  readonly signal: AbortSignal;
}

/** The model's answer, piece by piece. `MODEL_URL`, `MODEL` and `MODEL_KEY` say who answers. */
export async function* complete({ facts, messages }: Prompt, { tools, signal }: Terms): AsyncGenerator<Part> {
  const system = `What you know of the user:\n${facts.join("\n")}`;
  const response = await fetch(`${process.env["MODEL_URL"]}/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${process.env["MODEL_KEY"] ?? ""}`,
    },
    body: JSON.stringify({
      model: process.env["MODEL"] ?? "scripted",
      stream: true,
      messages: [{ role: "system", content: system }, ...messages.map(onTheWire)],
      tools: tools.map((tool) => ({ type: "function", function: tool })),
    }),
    signal,
  });
  if (!response.ok || response.body === null) throw new Error(`The model answered ${response.status}`);
  for await (const data of serverSentEvents(response.body)) {
    if (data === "[DONE]") return;
    const { content, tool_calls: calls } = JSON.parse(data).choices[0].delta;
    if (content) yield { kind: "text", text: content };
    for (const { id, function: made } of calls ?? []) {
      yield { kind: "call", call: { id, name: made.name, args: JSON.parse(made.arguments) } };
    }
  }
}

function onTheWire(message: Message): object {
  if (message.role === "user") return message;
  if (message.role === "tool")
    return { role: "tool", tool_call_id: message.callId, content: message.content };
  const calls = message.calls.map(({ id, name, args }) => ({
    id,
    type: "function",
    function: { name, arguments: JSON.stringify(args) },
  }));
  return { role: "assistant", content: message.content, ...(calls.length > 0 && { tool_calls: calls }) };
}

async function* serverSentEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of body) {
    const events = (rest + decoder.decode(bytes, { stream: true })).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) if (event.startsWith("data: ")) yield event.slice("data: ".length);
  }
}
