/**
 * What holds for an actor that says nothing of it, in every language: who may come, who may listen, what becomes of requests,
 * raw sockets and messages. The actor under test, "counter", has actions and an event, and no other function.
 */
import { createClient } from "@troupe/client";
import { setup } from "@troupe/runtime";
import { expect, type TestContext, test } from "vitest";
import type { ActorUnderTest } from "./actor-kit.ts";

/** Registers the story for one carrier and one language. */
export function actorDefaultsKit(subject: string, find: () => Promise<ActorUnderTest>): void {
  test(`${subject} actor: without a word on it, everybody is connected and may listen; what it has no function for has no handler`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    const found = await find();
    if (found.missing !== undefined) return context.skip(found.missing);
    const registry = setup({ use: { counter: found.definition } });
    const options = { port: 0, durability: "memory", signals: false, banner: false } as const;
    const { endpoint } = await registry.start(options);
    const client = createClient({ endpoint });
    const counter = client.getOrCreate("counter", ["a"]);
    const refused: unknown[] = [];
    const heard: unknown[] = [];
    const connections = [undefined, { name: "nobody" }, "any"].map((params) => {
      const connection = client.getOrCreate("counter", ["a"], { params }).connect();
      connection.onError(({ code }) => void refused.push(code));
      connection.on("changed", (count: unknown) => void heard.push(count));
      return connection;
    });
    for (const connection of connections) await connection.action({ name: "get", args: [] });
    await counter.action({ name: "increment", args: [2] });
    // What a connection hears is in order: an answer that was asked for later comes behind the event.
    for (const connection of connections) await connection.action({ name: "get", args: [] });
    expect({ heard, refused }).toEqual({ heard: [2, 2, 2], refused: [] });
    const answer = await counter.fetch("/");
    expect([answer.status, await answer.json()]).toMatchObject([404, { error: { code: "no_handler" } }]);
    const closed = Promise.withResolvers<readonly [number, string]>();
    const socket = await counter.webSocket("/");
    socket.onclose = ({ code, reason }) => closed.resolve([code, reason]);
    expect(await closed.promise).toEqual([1008, "actor.no_handler"]);
    await expect(counter.send("jobs", 1)).rejects.toMatchObject({ group: "queue", code: "not_found" });
    await client.dispose();
    await registry.stop();
  });
}
