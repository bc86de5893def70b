/** The agent against a model of the test's own, which says each word when it is told to. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { json } from "node:stream/consumers";
import { createClient } from "troupe/client";
import { beforeAll, expect, test } from "vitest";
import type { registry } from "../../examples/ai-agent/actor.ts";
import { Example, needBuild } from "./example.ts";

beforeAll(needBuild, 180_000);

/** One request to the model, which the test answers. */
class Asked {
  readonly question: string;
  readonly #response: ServerResponse;

  constructor(question: string, response: ServerResponse) {
    this.question = question;
    this.#response = response.writeHead(200, { "content-type": "text/event-stream" });
  }

  say(content: string): void {
    this.#response.write(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
  }

  finish(): void {
    this.#response.end("data: [DONE]\n\n");
  }

  /** Whoever asked has hung up. */
  get hungUp(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#response.on("close", resolve);
    return promise;
  }
}

class Model implements AsyncDisposable {
  readonly #asked: Asked[] = [];
  #came = Promise.withResolvers<void>();
  readonly #server = createServer((request, response) => {
    void json(request).then((body) => {
      const { messages } = body as { messages: { content: string }[] };
      this.#asked.push(new Asked(messages.at(-1)?.content ?? "", response));
      this.#came.resolve();
    });
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async next(): Promise<Asked> {
    for (;;) {
      const asked = this.#asked.shift();
      if (asked !== undefined) return asked;
      this.#came = Promise.withResolvers();
      await this.#came.promise;
    }
  }

  get waiting(): number {
    return this.#asked.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

test("a word reaches the user before the model has thought of the next one", async () => {
  await using model = new Model();
  await using example = await Example.start("ai-agent", { MODEL_URL: await model.listen() });
  await using client = createClient<typeof registry>(example.url);
  const agent = client.agent.getOrCreate(["ann"]);
  const answer = agent.ask("Who are you?")[Symbol.asyncIterator]();
  const first = answer.next();
  const asked = await model.next();
  expect(asked.question).toBe("Who are you?");
  asked.say("An ");
  expect((await first).value).toBe("An ");
  asked.say("actor.");
  expect((await answer.next()).value).toBe("actor.");
  asked.finish();
  expect((await answer.next()).done).toBe(true);
});

test("a second question waits for the end of the first answer; who leaves ends it, and what was said was said", async () => {
  await using model = new Model();
  await using example = await Example.start("ai-agent", { MODEL_URL: await model.listen() });
  await using client = createClient<typeof registry>(example.url);
  const agent = client.agent.getOrCreate(["ann"]);
  const answer = agent.ask("one")[Symbol.asyncIterator]();
  const first = answer.next();
  const one = await model.next();
  one.say("Well, ");
  await first;
  const second = agent.ask("two")[Symbol.asyncIterator]();
  const word = second.next();
  expect(model.waiting).toBe(0);
  const gone = one.hungUp;
  await answer.return?.();
  await gone;

  const two = await model.next();
  expect(two.question).toBe("two");
  two.say("yes");
  await word;
  two.finish();
  await second.next();
  expect((await agent.messages()).map(({ content }) => content)).toEqual(["one", "Well, ", "two", "yes"]);
});

test("a question survives kill -9 in the middle of its answer", async () => {
  await using model = new Model();
  await using example = await Example.start("ai-agent", { MODEL_URL: await model.listen() });
  await using client = createClient<typeof registry>(example.url);
  const agent = client.agent.getOrCreate(["ann"]);
  const answer = agent.ask("one")[Symbol.asyncIterator]();
  const first = answer.next();
  (await model.next()).say("Well, ");
  await first;
  const rest = answer.next().catch((error: unknown) => error);
  await example.kill();
  expect(await rest).toMatchObject({ code: "outcome_unknown" });
  await example.restart();
  expect(await agent.messages()).toEqual([{ role: "user", content: "one" }]);
});
