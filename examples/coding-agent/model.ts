/** Asks a language model over the API that most of them speak: chat completions, streamed as server-sent events. */

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly args: Readonly<Record<string, string>>;
}

export type Message =
  | { readonly role: "system" | "user"; readonly content: string }
  | { readonly role: "assistant"; readonly content: string; readonly calls: readonly ToolCall[] }
  | { readonly role: "tool"; readonly callId: string; readonly content: string };

interface Terms {
  readonly tools: readonly { readonly name: string }[];
  readonly signal: AbortSignal;
  readonly onText: (text: string) => void;
}

interface Delta {
  readonly content?: string | null;
  readonly tool_calls?: readonly {
    readonly index: number;
    readonly id?: string;
    readonly function: { readonly name?: string; readonly arguments?: string };
  }[];
}

/** The model's answer: its text piece by piece, its calls at the end. `MODEL_URL`, `MODEL` and `MODEL_KEY` say who answers. */
export async function complete(messages: readonly Message[], terms: Terms): Promise<Message> {
  const response = await fetch(`${process.env["MODEL_URL"]}/chat/completions`, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      authorization: `Bearer ${process.env["MODEL_KEY"] ?? ""}`,
    },
    body: JSON.stringify({
      model: process.env["MODEL"] || "gpt-5-mini",
      stream: true,
      messages: messages.map(onTheWire),
      tools: terms.tools.map((tool) => ({ type: "function", function: tool })),
    }),
    signal: terms.signal,
  });
  if (!response.ok || response.body === null) throw new Error(`The model answered ${response.status}`);
  let content = "";
  const parts: { id: string; name: string; args: string }[] = [];
  for await (const data of serverSentEvents(response.body)) {
    if (data === "[DONE]") break;
    const delta: Delta = JSON.parse(data).choices[0]?.delta ?? {};
    if (delta.content) {
      content += delta.content;
      terms.onText(delta.content);
    }
    for (const { index, id, function: made } of delta.tool_calls ?? []) {
      const part = parts[index] ?? { id: id ?? "", name: "", args: "" };
      parts[index] = part;
      part.name += made.name ?? "";
      part.args += made.arguments ?? "";
    }
  }
  const calls = parts.map(({ id, name, args }) => ({ id, name, args: JSON.parse(args || "{}") }));
  return { role: "assistant", content, calls };
}

function onTheWire(message: Message): object {
  if (message.role === "tool")
    return { role: "tool", tool_call_id: message.callId, content: message.content };
  if (message.role !== "assistant") return message;
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
