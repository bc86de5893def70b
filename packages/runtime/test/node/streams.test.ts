/** Streamed results on a real port: by plain HTTP, by the client's two ways, and a client that leaves. */
import { createClient } from "@troupe/client";
import { actor, type Registry, setup } from "@troupe/runtime";
import { expect, test } from "vitest";

const ended: string[] = [];

const maker = actor({
  actions: {
    count: async function* (c, to: number) {
      try {
        for (let n = 1; n <= to; n += 1) yield { n, text: "x".repeat(100) };
      } finally {
        ended.push(c.aborted ? "cut" : "whole");
      }
    },
    fails: async function* () {
      yield 1;
      throw new Error("secret");
    },
  },
});

type Maker = Registry<{ maker: typeof maker }>;

async function serve() {
  const registry = setup({ use: { maker } });
  const { endpoint } = await registry.start({
    port: 0,
    dataDir: "unused",
    durability: "memory",
    signals: false,
    banner: false,
  });
  return { endpoint, [Symbol.asyncDispose]: () => registry.stop() };
}

test("by plain HTTP a result is lines of JSON", async () => {
  await using server = await serve();
  const ask = (action: string, body: string): Promise<Response> =>
    fetch(`${server.endpoint}/actor/maker/action/${action}`, { method: "POST", body });
  const answer = await ask("count", '{"args":[2]}');
  expect(answer.headers.get("content-type")).toBe("application/x-ndjson");
  const text = "x".repeat(100);
  expect(await answer.text()).toBe(
    `{"item":{"n":1,"text":"${text}"}}\n{"item":{"n":2,"text":"${text}"}}\n{"end":true}\n`,
  );
  const failing = (await (await ask("fails", "")).text()).trim().split("\n");
  expect(failing[0]).toBe('{"item":1}');
  expect(JSON.parse(failing[1] ?? "")).toMatchObject({ error: { group: "internal", code: "error" } });
});

for (const encoding of ["json", "cbor"] as const) {
  test(`with the client, ${encoding}: many items by both ways, and leaving in the middle`, async () => {
    await using server = await serve();
    const client = createClient<Maker>({ endpoint: server.endpoint, encoding });
    const handle = client.maker.getOrCreate("a");
    const connection = handle.connect();
    for (const way of [handle, connection]) {
      let sum = 0;
      for await (const { n } of way.count(5_000)) sum += n;
      expect(sum).toBe(12_502_500);
      ended.length = 0;
      for await (const { n } of way.count(10_000_000)) if (n === 1_000) break;
      while (ended.length === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(ended).toEqual(["cut"]);
    }
    await client.dispose();
  });
}
