/**
 * What an actor in every language knows of its connections: who comes, with what, who leaves, who may listen; and that they
 * stay, with their state, while it sleeps.
 */
import { createClient } from "@troupe/client";
import { setup } from "@troupe/runtime";
import { expect, type TestContext, test } from "vitest";
import type { ActorUnderTest } from "./actor-kit.ts";

type Find = () => Promise<ActorUnderTest>;

const soon = { timeout: 60_000 };

/** A server with the actor, and a way to be connected to it under a name. */
async function hall(find: Find, context: TestContext) {
  const found = await find();
  if (found.missing !== undefined) return context.skip(found.missing);
  const registry = setup({ use: { keeper: found.definition } });
  const { endpoint } = await registry.start({ port: 0, durability: "memory", signals: false, banner: false });
  const client = createClient({ endpoint });
  const keeper = client.getOrCreate("keeper", ["hall"]);
  return {
    act: (name: string, ...args: unknown[]) => keeper.action({ name, args }),
    send: (queue: string, body: unknown) => keeper.send(queue, body),
    enter: (name: string) => {
      const connection = client.getOrCreate("keeper", ["hall"], { params: { name } }).connect();
      const heard: unknown[] = [];
      connection.on("whispered", (said: unknown) => void heard.push(said));
      const act = (action: string, ...args: unknown[]) => connection.action({ name: action, args });
      return { connection, heard, act };
    },
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await client.dispose();
      await registry.stop();
    },
  };
}

/** Registers the stories of its functions for connections. */
export function actorConnectionKit(subject: string, find: Find): void {
  test(`${subject} actor: it knows who is connected, with what, and who may listen to what`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    await using here = await hall(find, context);
    const { act, enter } = here;
    const [ann, bob] = [enter("ann"), enter("bob")];
    expect([await ann.act("visits"), await ann.act("visits")]).toEqual([
      ["ann", 1],
      ["ann", 2],
    ]);
    expect(await bob.act("visits")).toEqual(["bob", 1]);
    expect(await act("visits")).toBeNull();
    await expect.poll(() => [ann.heard, bob.heard], soon).toEqual([["welcome ann"], ["welcome bob"]]);
    expect(await act("here")).toEqual(["ann", "bob"]);
    // Refused at the door, and by what runs behind it.
    await expect(enter("nobody").act("visits")).rejects.toMatchObject({ group: "user", code: "not_you" });
    const bad = enter("bad");
    const ended = new Promise<void>((resolve) => bad.connection.onClose(() => resolve()));
    // In TypeScript `onConnect` is asked at the door as well: there the client is never in.
    const outside = bad.connection.ready.then(
      () => ended,
      () => undefined,
    );
    await Promise.all([outside, bad.act("visits").catch(() => undefined)]);
    await bad.connection.dispose();
    const refused: unknown[] = [];
    const secrets: unknown[] = [];
    for (const each of [ann, bob]) {
      each.connection.onError(({ code }) => void refused.push(code));
      each.connection.on("secret", (said: unknown) => void secrets.push(said));
    }
    await expect.poll(() => refused, soon).toEqual(["not_for_you"]);
    await ann.act("tellSecret", "psst");
    await expect.poll(() => secrets, soon).toEqual(["psst"]);
    await ann.connection.dispose();
    await expect.poll(() => act("here"), soon).toEqual(["bob"]);
    const comings = String(await act("get", "comings")).split(" ");
    expect(comings.filter((one) => /^[+-](ann|bob|nobody)$/.test(one)).toSorted()).toEqual([
      "+ann",
      "+bob",
      "-ann",
    ]);
  });
}

/** Registers the story of the connection lane. */
export function actorLaneKit(subject: string, find: Find): void {
  test(`${subject} actor: who wants to be connected, or to listen, waits for no action that waits`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    await using here = await hall(find, context);
    const { act, send, enter } = here;
    await act("visits");
    const taken = act("take", 120_000);
    await expect(enter("nobody").connection.ready).rejects.toMatchObject({ code: "not_you" });
    const bob = enter("bob");
    await bob.connection.ready;
    const refused: unknown[] = [];
    bob.connection.onError(({ code }) => void refused.push(code));
    bob.connection.on("secret", () => {});
    await expect.poll(() => refused, soon).toEqual(["not_for_you"]);
    await send("inbox", "go on");
    expect(await taken).toBe("go on");
    expect(await bob.act("visits")).toEqual(["bob", 1]);
  });
}

/** Registers the story of clients that stay: `find` gives one that sleeps as soon as it is idle. */
export function actorHibernationKit(subject: string, find: Find): void {
  test(`${subject} actor: clients stay while it sleeps, with their state and what they listen to`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    await using here = await hall(find, context);
    const { act, enter } = here;
    // Whoever is asked seldom enough sleeps between.
    const slept = async () => {
      const wakes = Number(await act("wakes"));
      await expect.poll(() => act("wakes"), { timeout: 60_000, interval: 500 }).toBeGreaterThan(wakes);
    };
    const [ann, bob] = [enter("ann"), enter("bob")];
    const secrets: unknown[] = [];
    ann.connection.on("secret", (said: unknown) => void secrets.push(said));
    expect([await ann.act("visits"), await bob.act("visits")]).toEqual([
      ["ann", 1],
      ["bob", 1],
    ]);
    await slept();
    expect(await act("here")).toEqual(["ann", "bob"]);
    expect([await ann.act("visits"), await bob.act("visits")]).toEqual([
      ["ann", 2],
      ["bob", 2],
    ]);
    await slept();
    await ann.act("tellSecret", "still here");
    await ann.act("whisper", "you as well");
    await expect
      .poll(() => [secrets, ann.heard], soon)
      .toEqual([["still here"], ["welcome ann", "you as well"]]);
    await bob.connection.dispose();
    await expect.poll(() => act("here"), soon).toEqual(["ann"]);
    expect(
      String(await act("get", "comings"))
        .trim()
        .split(" ")
        .toSorted(),
    ).toEqual(["+ann", "+bob", "-bob"]);
    expect(await ann.act("visits")).toEqual(["ann", 3]);
  });
}
