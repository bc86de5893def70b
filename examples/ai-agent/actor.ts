/** An agent with a memory: one actor for each conversation. Its answers come word by word, as the model makes them. */
import { actor, setup } from "troupe";
import { complete, type Message, type ToolCall } from "./model.ts";

/** Rounds of tools in one answer: a model may call them for ever. */
const MOST_ROUNDS = 8;

const tools = [
  {
    name: "remember",
    description: "Keeps a fact about the user for later conversations",
    parameters: { type: "object", properties: { fact: { type: "string" } }, required: ["fact"] },
  },
];

export const agent = actor({
  state: { messages: [] as Message[], facts: [] as string[] },

  // One question at a time: a second one waits until the first one's last word was said.
  options: { concurrency: "serial" },

  actions: {
    /** The question is on disk before the model hears of it, and a word before the user does. */
    ask: async function* (c, question: string) {
      c.state.messages.push({ role: "user", content: question });
      for (let round = 0; round < MOST_ROUNDS; round++) {
        const calls: ToolCall[] = [];
        let said = "";
        try {
          const prompt = { facts: c.snapshot().facts, messages: c.snapshot().messages };
          for await (const part of complete(prompt, { tools, signal: c.abortSignal })) {
            if (part.kind === "call") calls.push(part.call);
            else {
              said += part.text;
              yield part.text;
            }
          }
        } finally {
          // Also when the user left in the middle: what was said was said.
          c.state.messages.push({ role: "assistant", content: said, calls });
        }
        if (calls.length === 0) return;
        for (const { id, args } of calls) {
          c.state.facts.push(String(args["fact"]));
          c.state.messages.push({ role: "tool", callId: id, content: "remembered" });
        }
      }
    },
    messages: (c): Message[] => c.state.messages,
    facts: (c): string[] => c.state.facts,
  },
});

export const registry = setup({ use: { agent } });
