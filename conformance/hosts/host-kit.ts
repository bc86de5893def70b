/**
 * What an actor can do, one story for each row of the table in docs/host-parity.md. A story is told to a client that knows
 * nothing of where the actor's code is; it says "yes", or the code of the error with which the place refuses it.
 */
import { type Client, createClient } from "@troupe/client";
import { expect } from "vitest";
import type { actors } from "./actors.ts";
import { corpus } from "./sql-corpus.ts";

/** The actors, as a client knows them. */
export type HostClient = Client<{ readonly "~types"?: { readonly use: typeof actors } }>;

const patience = { timeout: 20_000, interval: 20 };

/** What a call fails with. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.then(
    () => new Error("it didn't fail"),
    (cause: unknown) => cause,
  );
  if (typeof error === "object" && error !== null && "group" in error && "code" in error)
    return `${String(error.group)}.${String(error.code)}`;
  throw error;
}

/** The stories, by what they are about. */
export const hostKit: Readonly<Record<string, (client: HostClient) => Promise<string>>> = {
  "Actions, and values of every type": async (client) => {
    const plain = client.plain.getOrCreate(["values"]);
    const all = await plain.everything();
    expect(all).toEqual({
      ...{ big: 12_345_678_901_234_567_890n, date: new Date(1_700_000_000_000), none: undefined },
      map: new Map([["a", new Set([1, 2])]]),
      ...{ bytes: new Uint8Array([0, 255]), text: "\0é🐝" },
    });
    expect(await plain.same(all)).toEqual(all);
    return "yes";
  },
  "Errors: typed, with their metadata; what isn't for callers is hidden": async (client) => {
    const plain = client.plain.getOrCreate(["errors"]);
    await expect(plain.fails("because")).rejects.toMatchObject({
      code: "because",
      metadata: { why: [1, 2] },
    });
    expect(await codeOf(plain.breaks())).toBe("internal.error");
    await expect(plain.breaks()).rejects.not.toThrow("secret");
    return "yes";
  },
  "State: over sleep and wake; saved at once": async (client) => {
    const plain = client.plain.getOrCreate(["state"]);
    expect(await plain.keep()).toBe(7);
    await plain.nap();
    await expect.poll(async () => Number((await plain.life())[1]), patience).toBeGreaterThan(1);
    expect((await plain.life())[0]).toBe(7);
    return "yes";
  },
  "Connections: their state, events, in order": async (client) => {
    const connection = client.plain.getOrCreate(["connections"]).connect();
    const heard: number[] = [];
    connection.on("changed", (count) => heard.push(count));
    for (let call = 1; call <= 20; call += 1) void connection.add(1);
    expect([await connection.said(), await connection.said()]).toEqual([1, 2]);
    await expect.poll(() => heard, patience).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
    await connection.dispose();
    return "yes";
  },
  "Connections that outlive their actor's sleep": async (client) => {
    const plain = client.plain.getOrCreate(["hibernation"]);
    const connection = plain.connect();
    let closed = false;
    connection.onClose(() => {
      closed = true;
    });
    expect(await connection.said()).toBe(1);
    await plain.nap();
    await expect.poll(async () => Number((await plain.life())[1]), patience).toBeGreaterThan(1);
    expect([await connection.said(), closed]).toEqual([2, false]);
    await connection.dispose();
    return "yes";
  },
  "Results that come in items": async (client) => {
    const items: number[] = [];
    for await (const item of client.plain.getOrCreate(["items"]).items(5)) items.push(item);
    expect(items).toEqual([1, 2, 3, 4, 5]);
    return "yes";
  },
  "The end for good": async (client) => {
    const plain = client.plain.getOrCreate(["end"]);
    await plain.add(3);
    await plain.end();
    await expect.poll(async () => await plain.add(1), patience).toBe(1);
    return "yes";
  },
  "Schedules and cron": async (client) => {
    const timed = client.timed.getOrCreate(["once"]);
    await timed.after("rang");
    await expect.poll(() => timed.rung(), patience).toEqual(["rang"]);
    const beating = client.timed.getOrCreate(["beats"]);
    await beating.every();
    await expect.poll(() => beating.rung(), patience).toEqual(["beat", "beat", "beat"]);
    return "yes";
  },
  "Keys and values": async (client) => {
    const shelf = client.shelf.getOrCreate(["a"]);
    for (const key of ["book:1", "book:2", "film:1"]) await shelf.put(key, `text of ${key}`);
    expect([await shelf.all(), await shelf.get("film:1"), await shelf.get("none")]).toEqual([
      2,
      "text of film:1",
      null,
    ]);
    return "yes";
  },
  Queues: async (client) => {
    const mailer = client.mailer.getOrCreate(["a"]);
    await mailer.send("mails", "first");
    const sent = await mailer.send("mails", "second", { wait: true, timeout: 20_000 });
    expect(sent).toMatchObject({ status: "completed", response: 6 });
    expect(await mailer.taken()).toEqual(["first", "second"]);
    return "yes";
  },
  SQL: async (client) => {
    const ledger = client.ledger.getOrCreate(["a"]);
    await ledger.write(9_007_199_254_740_993n, new Uint8Array([1, 0, 2]));
    expect(await codeOf(ledger.undo())).toBe("user.undone");
    expect(await ledger.all()).toEqual([{ n: 9_007_199_254_740_993n, b: new Uint8Array([1, 0, 2]) }]);
    expect(await codeOf(ledger.wrong())).toBe("internal.error");
    return "yes";
  },
  "SQL: values, parameters and errors, one by one and together": async (client) => {
    const wanted = corpus.map(({ gives }) => gives);
    for (const gave of await client.ledger.getOrCreate(["corpus"]).corpus()) expect(gave).toEqual(wanted);
    return "yes";
  },
  "SQL: batches": async (client) => {
    const ledger = client.ledger.getOrCreate(["batches"]);
    const insert = "INSERT INTO t VALUES (?, NULL)";
    expect(await codeOf(ledger.batch("INSERT INTO nowhere VALUES (?)"))).toBe("internal.error");
    const none = { columns: [], rows: [], changes: 1 };
    expect(await ledger.batch(insert)).toEqual([
      { ...none, lastInsertRowId: 1 },
      { ...none, lastInsertRowId: 2 },
      { columns: ["count(*)"], rows: [[2]], changes: 0, lastInsertRowId: null },
    ]);
    return "yes";
  },
  "SQL and state in one: what can't be stored fails with its own code": async (client) => {
    const ledger = client.ledger.getOrCreate(["poisoned"]);
    await ledger.write(1n, new Uint8Array());
    expect(await codeOf(ledger.poison())).toBe("value.unsupported_type");
    await expect.poll(() => ledger.all(), patience).toEqual([{ n: 1, b: new Uint8Array() }]);
    return "yes";
  },
  Workflows: async (client) => {
    const order = client.order.getOrCreate(["a"]);
    await expect.poll(() => order.steps(), patience).toEqual(["first", "second"]);
    return "yes";
  },
  "HTTP of the actor's own": async (client) => {
    const response = await client.door.getOrCreate(["http"]).fetch("/x", { method: "POST", body: "milk" });
    expect([response.status, await response.text()]).toEqual([201, "POST milk"]);
    return "yes";
  },
  "WebSockets of the actor's own": async (client) => {
    const socket = await client.door.getOrCreate(["socket"]).webSocket("/chat");
    const heard = new Promise((resolve) => {
      socket.onmessage = ({ data }) => resolve(data);
    });
    socket.onopen = () => socket.send("a word");
    expect(await heard).toBe("heard a word");
    socket.close();
    return "yes";
  },
  "Calls of other actors": async (client) => {
    expect(await client.caller.getOrCreate(["a"]).call("called")).toBe(5);
    return "yes";
  },
  "Connections to other actors": async (client) => {
    const listening = client.caller.getOrCreate(["b"]).listen("listened");
    return await listening.then(
      () => "yes",
      async () => await codeOf(listening),
    );
  },
};

/** Tells every story; what each of them says, by name. All at once: none depends on another. */
export async function outcomes(endpoint: string, encoding: "json" | "cbor"): Promise<Record<string, string>> {
  const client = createClient<{ readonly "~types"?: { readonly use: typeof actors } }>({
    endpoint,
    encoding,
  });
  try {
    const said = Object.entries(hostKit).map(async ([name, story]) => [name, await story(client)] as const);
    return Object.fromEntries(await Promise.all(said));
  } finally {
    await client.dispose();
  }
}
