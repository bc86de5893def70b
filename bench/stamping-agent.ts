/** An agent for the bench: told "300 5" it says the time 300 times, every 5 ms; told "10000 0", as fast as it can. */
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";

interface Request {
  readonly id?: number;
  readonly method: string;
  readonly params?: { readonly prompt?: readonly { readonly text: string }[] };
}

const say = (message: object) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);

for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params }: Request = JSON.parse(line);
  if (method === "initialize") say({ id, result: { protocolVersion: 1 } });
  if (method === "session/new") say({ id, result: { sessionId: "s" } });
  if (method !== "session/prompt") continue;
  const [count = 0, everyMs = 0] = (params?.prompt?.[0]?.text ?? "").split(" ").map(Number);
  for (let n = 0; n < count; n += 1) {
    const text = String(performance.timeOrigin + performance.now());
    const update = { sessionUpdate: "agent_message_chunk", content: { type: "text", text } };
    say({ method: "session/update", params: { sessionId: "s", update } });
    if (everyMs > 0) await setTimeout(everyMs);
  }
  say({ id, result: { stopReason: "end_turn" } });
}
