/** A job that was taken is done, though the process dies over it. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createClient } from "troupe/client";
import { beforeAll, expect, test } from "vitest";
import type { registry } from "../../examples/job-queue/actor.ts";
import { Example, needBuild } from "./example.ts";

beforeAll(needBuild, 180_000);

/** Where webhooks arrive: the test answers each. */
class Receiver implements AsyncDisposable {
  readonly #arrived: { request: IncomingMessage; response: ServerResponse }[] = [];
  #came = Promise.withResolvers<void>();
  readonly #server = createServer((request, response) => {
    this.#arrived.push({ request, response });
    this.#came.resolve();
  });

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async next(): Promise<{ key: string | undefined; answer: (status: number) => void }> {
    for (;;) {
      const arrived = this.#arrived.shift();
      if (arrived !== undefined) {
        const { request, response } = arrived;
        const key = request.headers["idempotency-key"];
        return { key: key?.toString(), answer: (status) => void response.writeHead(status).end() };
      }
      this.#came = Promise.withResolvers();
      await this.#came.promise;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

test("a job that was under way when the process died comes again, under its key", async () => {
  await using receiver = new Receiver();
  const url = await receiver.listen();
  await using example = await Example.start("job-queue");
  await using client = createClient<typeof registry>(example.url);
  const webhooks = client.webhooks.getOrCreate(["shop"]);
  await webhooks.send("jobs", { url, payload: 1 });
  const first = await receiver.next();
  await example.kill();
  await example.restart();
  const second = await receiver.next();
  expect(second.key).toBe(first.key);
  const tried = webhooks.connect().events("tried");
  // The subscription is in force when this has answered.
  await webhooks.delivered();
  second.answer(200);
  await tried.next();
  expect(await webhooks.delivered()).toBe(1);
});

test("whoever wants to know waits for the answer of the receiver", async () => {
  await using receiver = new Receiver();
  const url = await receiver.listen();
  await using example = await Example.start("job-queue");
  await using client = createClient<typeof registry>(example.url);
  const sent = client.webhooks.getOrCreate(["shop"]).send("jobs", { url, payload: 1 }, { wait: true });
  (await receiver.next()).answer(503);
  (await receiver.next()).answer(201);
  expect(await sent).toEqual({ status: "completed", response: { status: 201 } });
});
