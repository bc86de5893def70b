/** What is read from an agent's stdout, and how fast. */
import { Readable } from "node:stream";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { messagesOf } from "../../src/acp/message-lines.ts";
import { upTo } from "../support/reader.ts";

const update = (n: number) =>
  `${JSON.stringify({ jsonrpc: "2.0", method: "session/update", params: { sessionId: "s", update: { sessionUpdate: "_n", n } } })}\n`;

test("an agent that floods is read no faster than its updates are dealt with", async () => {
  const count = 2 * limits.agentUpdatesUnderWay + 1;
  const heard: unknown[] = [];
  const waits: (() => void)[] = [];
  const messages = messagesOf(
    Readable.from([Buffer.from(upTo(count).map(update).join(""))]),
    {
      onUpdate: (notification) => void heard.push(notification.update),
      answers: () => true,
      onNoise: () => undefined,
      caughtUp: () => new Promise<void>((resolve) => waits.push(resolve)),
    },
    () => "",
  );
  const end = messages.next();
  const turn = () => new Promise((resolve) => void setImmediate(resolve));
  for (const round of [1, 2]) {
    while (waits.length < round) await turn();
    await turn();
    expect(heard).toHaveLength(round * limits.agentUpdatesUnderWay);
    waits[round - 1]?.();
  }
  expect(await end).toEqual({ done: true, value: undefined });
  expect(heard).toEqual(upTo(count).map((n) => ({ sessionUpdate: "_n", n })));
});

test("lines may come in any pieces, characters too", async () => {
  const text = `${update(1)}{"jsonrpc":"2.0","id":1,"result":"é€😀"}\n\n  \n${update(2)}{"jsonrpc":"2.0","id":2,"result":0}\n`;
  const bytes = Buffer.from(text);
  for (const size of [1, 2, 3, 7, 1_000]) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    const seen: unknown[] = [];
    const listeners = {
      onUpdate: () => void seen.push("update"),
      answers: () => true,
      onNoise: (line: string) => void seen.push(line),
      caughtUp: async () => undefined,
    };
    for await (const message of messagesOf(Readable.from(pieces), listeners, () => ""))
      seen.push("result" in message ? message.result : message);
    expect(seen).toEqual(["update", "é€😀", "update", 0]);
  }
});

test("what answers nothing, a broken update and an empty message are noise, which has a limit; notifications of other kinds are for nobody", async () => {
  const waiting = new Set<unknown>([1]);
  const noise: string[] = [];
  const listeners = {
    onUpdate: () => undefined,
    answers: (id: unknown) => waiting.delete(id),
    onNoise: (line: string) => void noise.push(line),
    caughtUp: async () => undefined,
  };
  const seenIn = async (...messages: object[]) => {
    const text = messages.map((message) => `${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`).join("");
    const seen: unknown[] = [];
    for await (const message of messagesOf(Readable.from([Buffer.from(text)]), listeners, () => ""))
      seen.push("method" in message ? message.method : message.id);
    return seen;
  };
  const answer = { id: 1, result: null };
  const broken = { method: "session/update", params: { sessionId: "s" } };
  expect(
    await seenIn(answer, answer, broken, {}, { method: "_theirs/news" }, { method: "$/cancel_request" }),
  ).toEqual([1, "$/cancel_request"]);
  expect(noise).toHaveLength(3);
  const flood = Array.from({ length: limits.agentNoiseLines + 1 }, () => broken);
  await expect(seenIn(...flood)).rejects.toMatchObject({ group: "agent", code: "not_acp" });
});

test("an update without what is read of it, or with a name of the runtime's own, is noise; one of a kind that nobody knows is an update", async () => {
  const heard: unknown[] = [];
  const noise: string[] = [];
  const listeners = {
    onUpdate: ({ update }: { update: unknown }) => void heard.push(update),
    answers: () => true,
    onNoise: (line: string) => void noise.push(line),
    caughtUp: async () => undefined,
  };
  const text = { type: "text", text: "x" };
  const good = [
    { sessionUpdate: "agent_message_chunk", content: text },
    { sessionUpdate: "_theirs", anything: null },
    { sessionUpdate: "tool_call_update", toolCallId: "a" },
  ];
  const bad = [
    null,
    [],
    {},
    { sessionUpdate: 3 },
    { sessionUpdate: "agent_message_chunk", content: null },
    { sessionUpdate: "tool_call" },
    { sessionUpdate: "_permission_request", requestId: "r", toolCall: { toolCallId: "a" }, options: [] },
    { sessionUpdate: "_permission_response", requestId: "r", outcome: "selected", optionId: "yes" },
    { sessionUpdate: "_prompt_interrupted", promptId: "p" },
    { sessionUpdate: "_session_restarted", reason: "failed" },
  ];
  const lines = [...good, ...bad].map((update) =>
    JSON.stringify({ jsonrpc: "2.0", method: "session/update", params: { sessionId: "s", update } }),
  );
  const source = Readable.from([Buffer.from(`${lines.join("\n")}\n`)]);
  for await (const message of messagesOf(source, listeners, () => "")) expect(message).toBeUndefined();
  expect(heard).toEqual(good);
  expect(noise.map((line) => JSON.parse(line).params.update)).toEqual(bad);
});
