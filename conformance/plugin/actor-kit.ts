/**
 * What every carrier must do for an actor's context, in every language: keys, a database, calls of other actors, connections,
 * its end. The actor under test, "keeper", keeps things wherever an actor can.
 */
import { createClient } from "@troupe/client";
import { limits } from "@troupe/protocol";
import type { RelayEvent } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";
import { type AnyActorDefinition, setup, setupTest } from "@troupe/runtime";
import { expect, type TestContext, test } from "vitest";

/** The actor, or why it can't be tried here. */
export type ActorUnderTest =
  | {
      readonly definition: AnyActorDefinition;
      /**
       * True: the runtime itself is behind the carrier, as it is for TypeScript. Bodies of requests come in pieces, of any
       * length; and its actors mark and measure in their calls, where those of the others do so in their plugin.
       */
      readonly local?: boolean;
      readonly missing?: never;
    }
  | { readonly missing: string };

/** Registers the kit's stories for one carrier and one language. One registry serves them all. */
export function actorKit(subject: string, find: () => Promise<ActorUnderTest>): void {
  test(`${subject} actor: keys, a database, calls of others, connections, its end`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    const found = await find();
    if (found.missing !== undefined) return context.skip(found.missing);
    const registry = setup({ use: { keeper: found.definition } });
    const { client, evict } = await setupTest(context, registry, { clock: "real" });
    const keeper = (key: string): Keeper => {
      const handle = client.keeper.getOrCreate([key]);
      return {
        act: (name, ...args) => handle.action({ name, args }),
        evict: () => evict(handle),
      };
    };
    await keyStory(keeper("a"));
    await databaseStory(keeper("b"));
    await othersStory(keeper);
    await endStory(keeper("e"));
  });

  test(`${subject} actor: an event for one connection alone, and the end of one`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    const found = await find();
    if (found.missing !== undefined) return context.skip(found.missing);
    const registry = setup({ use: { keeper: found.definition } });
    const { endpoint } = await registry.start({
      port: 0,
      durability: "memory",
      signals: false,
      banner: false,
    });
    const client = createClient({ endpoint });
    const [one, other] = [0, 1].map(() => client.getOrCreate("keeper", ["c"]).connect());
    if (one === undefined || other === undefined) throw new Error("there are two");
    const heard: string[] = [];
    one.on("whispered", (said: unknown) => void heard.push(`one ${String(said)}`));
    other.on("whispered", (said: unknown) => void heard.push(`other ${String(said)}`));
    await other.action({ name: "get", args: ["a"] });
    await one.action({ name: "whisper", args: ["psst"] });
    await other.action({ name: "whisper", args: ["hush"] });
    await expect.poll(() => heard, { timeout: 60_000 }).toEqual(["one psst", "other hush"]);
    await client.dispose();
    await registry.stop();
  });
}

/** Registers the story of HTTP requests. */
export function actorRequestKit(subject: string, find: () => Promise<ActorUnderTest>): void {
  test(`${subject} actor: HTTP requests`, { timeout: 290_000 }, async (context: TestContext) => {
    await using served = await serve(find, context);
    const { handle, local } = served;
    const posted = await handle.fetch("/x", { method: "POST", body: "hello" });
    expect([posted.status, posted.headers.get("x-kept"), await posted.text()]).toEqual([
      201,
      "yes",
      "POST hello",
    ]);
    const long = "é".repeat(150_000);
    expect(await (await handle.fetch("/x", { method: "PUT", body: long })).text()).toBe(`PUT ${long}`);
    expect(await (await handle.fetch("/large")).text()).toBe("x".repeat(200_000));
    const longer = "x".repeat(limits.pluginRequestBodyBytes + 1);
    const taken = await handle.fetch("/x", { method: "PUT", body: longer });
    expect([taken.status, (await taken.text()).length > longer.length]).toEqual(
      local ? [201, true] : [413, false],
    );
    const refused = await handle.fetch("/refused");
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining("refused")]);
  });
}

/** A server with the actor, and one of it. */
export async function serve(find: () => Promise<ActorUnderTest>, context: TestContext) {
  const found = await find();
  if (found.missing !== undefined) return context.skip(found.missing);
  const registry = setup({ use: { keeper: found.definition } });
  const options = { port: 0, durability: "memory", signals: false, banner: false } as const;
  const { endpoint } = await registry.start(options);
  const client = createClient({ endpoint });
  return {
    handle: client.getOrCreate("keeper", ["raw"]),
    local: found.local === true,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      await client.dispose();
      await registry.stop();
    },
  };
}

/** Registers the story of its scopes, for a suite that says which promise it proves. */
export function actorScopeKit(subject: string, find: () => Promise<ActorUnderTest>): void {
  test(`${subject} actor: an action is told its own, what it marks is in it, and the actor that it calls is below it`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    const found = await find();
    if (found.missing !== undefined) return context.skip(found.missing);
    const relay = createRelay();
    const events: RelayEvent[] = [];
    relay.register({ kind: "subscriber", name: "ear", handle: (event) => void events.push(event) });
    const registry = setup({ use: { keeper: found.definition }, relay });
    const { client } = await setupTest(context, registry, { clock: "real" });
    const act = (key: string, name: string, ...args: unknown[]) =>
      client.keeper.getOrCreate([key]).action({ name, args });
    const started = async (name: string) => {
      await relay.flushSubscribers();
      return events.filter(
        (event) => event.name === name && "scope_category" in event && event.scope_category === "start",
      );
    };
    const scopes = await Promise.all(["a", "b", "c"].map((key) => act(key, "scope")));
    const own = (await started("keeper.scope")).map(({ uuid }) => uuid);
    const told = scopes.map((scope) => JSON.parse(String(scope)).parent_uuid);
    expect(new Set(told)).toEqual(new Set(own));
    expect(own).toHaveLength(3);
    if (found.local) {
      await act("a", "marks", 7);
      const [marks] = await started("keeper.marks");
      expect(events.filter(({ name }) => name === "seen" || name === "size")).toMatchObject([
        { kind: "mark", parent_uuid: marks?.uuid, data: { n: 7 } },
        {
          parent_uuid: marks?.uuid,
          data: { measurements: [{ name: "bytes", value: 7, value_type: "u64" }] },
        },
      ]);
    }
    await act("a", "tell", "b", "word", "hello");
    const [outer] = await started("keeper.tell");
    const [inner] = await started("keeper.put");
    expect([outer?.parent_uuid, inner?.parent_uuid]).toEqual([null, outer?.uuid]);
  });
}

interface Keeper {
  readonly act: (name: string, ...args: unknown[]) => Promise<unknown>;
  readonly evict: () => Promise<void>;
}

async function keyStory({ act, evict }: Keeper): Promise<void> {
  expect(await act("get", "one")).toBeNull();
  await act("put", "one", "1");
  await act("put", "two", "2");
  await act("put", "three", "");
  expect([await act("get", "one"), await act("get", "three")]).toEqual(["1", ""]);
  expect(await act("keys", "")).toEqual(["one", "three", "two"]);
  expect(await act("keys", "p")).toEqual(["three", "two"]);
  await act("delete", "two");
  // On disk before the action's end.
  await act("save", "zero", "0");
  await evict();
  expect([await act("get", "one"), await act("get", "two")]).toEqual(["1", null]);
  expect(await act("keys", "")).toEqual(["one", "three", "zero"]);
}

async function databaseStory({ act, evict }: Keeper): Promise<void> {
  expect([await act("note", "first"), await act("note", "second")]).toEqual([1, 2]);
  await evict();
  const notes = [
    { id: 1, said: "first" },
    { id: 2, said: "second" },
  ];
  expect(await act("notes")).toEqual(notes);
  expect(await act("wrong")).toEqual(expect.stringMatching(/^[a-z_]+$/));
  await expect(act("noteBoth", "third", "")).rejects.toMatchObject({ group: "user", code: "nothing_said" });
  expect(await act("notes")).toEqual(notes);
  expect(await act("noteBoth", "third", "fourth")).toBe(4);
  expect(await act("notes")).toHaveLength(4);
}

async function othersStory(keeper: (key: string) => Keeper): Promise<void> {
  const [one, other] = [keeper("one"), keeper("other")];
  expect(await one.act("tell", "other", "word", "hello")).toBe("hello");
  expect([await one.act("get", "word"), await other.act("get", "word")]).toEqual([null, "hello"]);
  await expect(one.act("tellNobody")).rejects.toMatchObject({ group: "actor", code: "not_found" });
  expect(await one.act("who")).toEqual(["keeper", ["one"], expect.stringMatching(/./)]);
}

async function endStory({ act }: Keeper): Promise<void> {
  await act("put", "kept", "yes");
  await act("sleep");
  expect(await act("get", "kept")).toBe("yes");
  await act("destroy");
  await expect.poll(() => act("get", "kept").catch(() => "going"), { timeout: 60_000 }).toBeNull();
}
