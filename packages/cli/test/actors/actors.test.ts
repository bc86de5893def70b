/** `troupe actors`: a running server's actors, listed, shown, put to sleep, woken and destroyed from a terminal. */
import { once } from "node:events";
import { createServer } from "node:http";
import { join } from "node:path";
import { UserError } from "@troupe/base";
import { actor, db, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Troupe } from "../support/troupe.ts";

const counter = actor({
  state: { count: 0 },
  actions: {
    increment: (c) => (c.state.count += 1),
    refuse: () => {
      throw new UserError("no", { code: "no_way" });
    },
  },
});
const notes = actor({
  db: db({ migrations: ["CREATE TABLE notes (text TEXT)"] }),
  actions: {
    add: async (c, text: string) => void (await c.db.execute("INSERT INTO notes VALUES (?)", text)),
  },
});
/** A server, and a user at its machine. */
async function serving(inspector?: { readonly write: boolean }) {
  const troupe = new Troupe();
  const registry = setup({
    use: { counter, notes },
    ...(inspector && { inspector: { token: "for people", ...inspector } }),
  });
  const { endpoint } = await registry.start({
    port: 0,
    dataDir: join(troupe.path, "data"),
    signals: false,
    banner: false,
  });
  troupe.env = { TROUPE_ENDPOINT: endpoint, TROUPE_INSPECTOR_TOKEN: "for people" };
  const client = await registry.client();
  return {
    ...{ troupe, client, endpoint },
    said: async (...args: string[]) => (await troupe.run("actors", ...args)).out,
    json: async (...args: string[]) => JSON.parse((await troupe.run("actors", ...args, "--json")).out),
    [Symbol.asyncDispose]: async () => {
      await registry.stop();
      troupe[Symbol.dispose]();
    },
  };
}

test("they are listed by name, key and state, as many as are asked for, and the next ones behind them", async () => {
  await using server = await serving({ write: false });
  const { client, said, json } = server;
  expect(await said("list")).toBe("There are no such actors.\n");
  for (const key of [["ann"], ["anna", "2"], ["bob"]]) await client.counter.getOrCreate(key).increment();
  await client.notes.getOrCreate([]).add("one");
  const all = await json("list");
  expect(all.next).toBeNull();
  const shown = all.actors.map(({ name, key, phase }: { name: string; key: string[]; phase: string }) => [
    name,
    ...key,
    phase,
  ]);
  expect(shown.sort()).toEqual([
    ["counter", "ann", "awake"],
    ["counter", "anna", "2", "awake"],
    ["counter", "bob", "awake"],
    ["notes", "awake"],
  ]);
  const id = await client.counter.get(["bob"]).resolve();
  expect(await said("list", "--name", "counter", "--key", "b")).toBe(
    `actor        state  id\ncounter/bob  awake  ${id}\n`,
  );
  expect((await json("list", "--key", "anna/")).actors).toHaveLength(1);
  expect(await said("list", "--state", "asleep")).toBe("There are no such actors.\n");
  await expect(said("list", "--state", "foo")).rejects.toMatchObject({
    message: expect.stringMatching(/--state.*asleep, loading, awake, stopping/),
  });
  await expect(said("list", "--name", "countr")).rejects.toMatchObject({
    code: "not_registered",
    message: expect.stringContaining('did you mean "counter"?'),
  });
  const first = await json("list", "--limit", "3");
  const rest = await json("list", "--limit", "3", "--after", first.next);
  expect(new Set([...first.actors, ...rest.actors].map((one) => one.id)).size).toBe(4);
  expect(await said("list", "--limit", "1")).toMatch(/There may be more: --after '\[.*\]'\n$/);
  await expect(said("list", "--limit", "0")).rejects.toMatchObject({ code: "invalid_option" });
});

test("one is shown by its id, or by its name and key: its life, its size and the last thing that failed", async () => {
  await using server = await serving({ write: false });
  const { client, said, json } = server;
  const handle = client.counter.getOrCreate(["a", "b"]);
  await handle.increment();
  await expect(handle.refuse()).rejects.toMatchObject({ code: "no_way" });
  const id = await handle.resolve();
  const told = await said("show", "counter/a/b");
  expect(told).toContain(`id           ${id}\n`);
  expect(told).toMatch(/state +awake\n/);
  expect(told).toMatch(/awake since +\d{4}-\d\d-\d\dT/);
  expect(told).toMatch(/data +\d+ rows, \d+ bytes\n/);
  expect(told).toMatch(/last error +user\.no_way in refuse, /);
  expect(await said("show", id)).toBe(told);
  expect(await json("show", id)).toMatchObject({ id, key: ["a", "b"], size: { rows: expect.any(Number) } });
  await client.notes.getOrCreate([]).add("x".repeat(100_000));
  expect(await said("show", "notes/")).toMatch(/data +\d+ rows, \d+ bytes; database file 1\d\d\.\d KiB\n/);
  await expect(said("show", "counter/none")).rejects.toMatchObject({ group: "actor", code: "not_found" });
  await expect(said("show", "countr/a")).rejects.toMatchObject({
    code: "not_registered",
    message: expect.stringContaining('did you mean "counter"?'),
  });
  await expect(said("show", "f".repeat(32))).rejects.toMatchObject({ group: "actor", code: "not_found" });
});

test("one sleeps, wakes and ends when it is told to; the end is asked for", async () => {
  await using server = await serving({ write: true });
  const { troupe, client, said, json } = server;
  await client.counter.getOrCreate("a").increment();
  expect(await said("sleep", "counter/a")).toMatch(/^counter \["a"\] \([0-9a-f]{32}\) sleeps\n$/);
  expect(await said("show", "counter/a")).toMatch(/state +asleep\n/);
  await said("wake", "counter/a");
  expect(await json("show", "counter/a")).toMatchObject({ phase: "running" });
  await expect(said("destroy", "counter/a")).rejects.toMatchObject({ code: "not_confirmed" });
  troupe.types = "y";
  await expect(said("destroy", "counter/a")).rejects.toMatchObject({ code: "not_confirmed" });
  expect(troupe.asked).toEqual([expect.stringMatching(/^Destroying counter \["a"\] .*can't be undone/)]);
  expect(await json("show", "counter/a")).toMatchObject({ phase: "running" });
  troupe.types = "yes";
  expect(await json("destroy", "counter/a")).toMatchObject({ done: "destroy", key: ["a"] });
  await expect(said("show", "counter/a")).rejects.toMatchObject({ code: "not_found" });
  troupe.types = undefined;
  await client.counter.getOrCreate("b").increment();
  await said("destroy", "counter/b", "--yes");
  expect((await json("list")).actors).toEqual([]);
});

test("without a token, a server, an inspector, or leave to write, it says which", async () => {
  await using looking = await serving({ write: false });
  await looking.client.counter.getOrCreate("a").increment();
  await expect(looking.said("sleep", "counter/a")).rejects.toMatchObject({
    group: "inspector",
    code: "read_only",
  });
  const { troupe, endpoint } = looking;
  troupe.env = { TROUPE_ENDPOINT: endpoint };
  await expect(looking.said("list")).rejects.toMatchObject({ group: "config", code: "no_inspector_token" });
  troupe.env = { TROUPE_INSPECTOR_TOKEN: "another one" };
  await expect(looking.said("list", "--url", endpoint)).rejects.toMatchObject({
    code: "unauthorized",
    message: expect.stringContaining("another inspector token"),
  });
  await expect(looking.said("list", "--url", "localhost")).rejects.toMatchObject({ code: "invalid_option" });
  await using blind = await serving();
  await expect(blind.said("list")).rejects.toMatchObject({ group: "actors", code: "no_inspector" });
  const other = createServer((_request, response) => void response.end("<html>")).listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const port = typeof address === "object" ? address?.port : undefined;
  await expect(looking.said("list", "--url", `http://127.0.0.1:${port}`)).rejects.toMatchObject({
    code: "unexpected_answer",
  });
  other.close();
  await once(other, "close");
  await expect(looking.said("list", "--url", `http://127.0.0.1:${port}`)).rejects.toMatchObject({
    group: "actors",
    code: "unreachable",
    message: expect.stringContaining("ECONNREFUSED"),
  });
});
