/** `troupe engine`: a process without actors of its own, and programs that are its hosts, each in a process. */
import { join } from "node:path";
import { TroupeError } from "@troupe/base";
import { createClient } from "@troupe/client";
import { expect, test } from "vitest";
import { PluginFolder } from "./support/plugin-folder.ts";
import { Started } from "./support/started.ts";
import { Troupe } from "./support/troupe.ts";

/** A program as its author runs it at home: nothing in it knows of an engine. */
const program = `
  import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
  const counter = actor({ state: { count: 0 }, actions: { increment: (c, by) => (c.state.count += by), pid: () => process.pid } });
  const server = await setup({ use: { counter } }).start({ port: 0, durability: "memory" });
  console.log("serving at " + server.endpoint);`;

const secret = { TROUPE_HOSTS_TOKEN: "secret" };

test("TROUPE_ENDPOINT alone moves a program to an engine; host and engine die by kill -9, and what was answered is there", async () => {
  using folder = new PluginFolder();
  const file = folder.write("program.ts", program);
  const args = ["engine", "--data", join(folder.path, "data"), "--namespace", "staging"];
  await using engine = Started.troupe([...args, "--port", "0"], secret);
  const [, endpoint = ""] = /engine at (\S+)/.exec(await engine.said(/engine at \S+/)) ?? [];
  expect(engine.out).toContain("namespaces: default, staging");
  const asHost = { ...secret, TROUPE_ENDPOINT: endpoint };
  await using first = Started.program(file, asHost);
  expect(await first.said(/serving at /)).toContain(`serving at ${endpoint}`);
  const client = createClient(endpoint);
  const counter = client.getOrCreate("counter", "a");
  const call = (name: string, ...given: unknown[]) => counter.action({ name, args: given });
  expect(await call("increment", 1)).toBe(1);
  expect(await call("pid")).toBe(first.pid);

  await using second = Started.program(file, asHost);
  await second.said(/serving at /);
  await first.ended("SIGKILL");
  await expect.poll(() => call("pid").catch(String)).toBe(second.pid);
  expect(await call("increment", 1)).toBe(2);

  await engine.ended("SIGKILL");
  await using again = Started.troupe([...args, "--port", new URL(endpoint).port], secret);
  await again.said(/engine at/);
  await expect.poll(() => call("increment", 1).catch(String)).toBe(3);
  expect(await call("pid")).toBe(second.pid);
  expect(await second.ended("SIGTERM")).toMatchObject({ code: 0 });
  expect(await again.ended("SIGTERM")).toMatchObject({ code: 0 });
  await client.dispose();
});

/** Actors with something to lose: a count, rows, and a transaction that stays open. */
const keeper = `
  import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
  import { db } from ${JSON.stringify(import.meta.resolve("troupe/db"))};
  const insert = "INSERT INTO entries VALUES (1)";
  const ledger = actor({
    state: { count: 0 },
    db: db({ onMigrate: async (database) => { await database.execute("CREATE TABLE IF NOT EXISTS entries (n INTEGER)"); } }),
    actions: {
      add: async (c, by) => { await c.db.execute(insert); c.state.count += by; return c.state.count; },
      rows: async (c) => (await c.db.execute("SELECT count(*) AS n FROM entries"))[0].n,
      pid: () => process.pid,
      hold: async (c) => {
        const aborted = new Promise((resolve) => c.abortSignal.addEventListener("abort", resolve));
        await c.db.transaction(async (tx) => {
          for (let n = 0; n < 3; n += 1) await tx.execute(insert);
          console.log("in the transaction");
          await aborted;
          await tx.execute(insert);
        }).catch((error) => console.log("the transaction failed: " + error.group + "." + error.code));
        c.state.count += 1000;
      },
    },
  });
  await setup({ use: { ledger } }).start({ signals: false, banner: false });
  console.log("serving");`;

test("a frozen host comes back too late: its caller was told, and nothing of it counts; kill -9 of the engine in a transaction keeps none of it", async () => {
  using folder = new PluginFolder();
  const file = folder.write("keeper.ts", keeper);
  const args = ["engine", "--data", join(folder.path, "data")];
  await using engine = Started.troupe([...args, "--port", "0"], secret);
  const [, endpoint = ""] = /engine at (\S+)/.exec(await engine.said(/engine at \S+/)) ?? [];
  const asHost = { ...secret, TROUPE_ENDPOINT: endpoint };
  await using first = Started.program(file, asHost);
  await first.said(/serving/);
  const client = createClient(endpoint);
  const ledger = client.getOrCreate("ledger", "a");
  const call = (name: string, ...given: unknown[]) => ledger.action({ name, args: given });
  expect([await call("add", 1), await call("pid")]).toEqual([1, first.pid]);
  await using second = Started.program(file, asHost);
  await second.said(/serving/);

  first.kill("SIGSTOP");
  // It is on its way to the frozen host, which does it when it is thawed.
  await expect(call("add", 1_000)).rejects.toMatchObject({ group: "host", code: "lost" });
  expect([await call("add", 1), await call("pid")]).toEqual([2, second.pid]);
  first.kill("SIGCONT");
  for (let count = 3; count <= 30; count += 1) expect(await call("add", 1)).toBe(count);
  expect([await call("rows"), await call("pid")]).toEqual([30, second.pid]);
  // It is a host again, and its own memory of the actor is gone.
  await second.ended("SIGKILL");
  await expect.poll(() => call("pid").catch(String)).toBe(first.pid);
  expect([await call("add", 1), await call("rows")]).toEqual([31, 31]);

  const held = call("hold").then(
    () => "answered",
    () => "told",
  );
  await first.said(/in the transaction/);
  await engine.ended("SIGKILL");
  expect(await held).toBe("told");
  await using again = Started.troupe([...args, "--port", new URL(endpoint).port], secret);
  await again.said(/engine at/);
  await expect.poll(() => call("rows").catch(String)).toBe(31);
  expect(await first.said(/the transaction failed/)).toMatch(/the transaction failed: sql/);
  expect([await call("add", 1), await call("rows")]).toEqual([32, 32]);
  await client.dispose();
});

test("what keeps an engine from starting is said by name", async () => {
  using troupe = new Troupe();
  const refused = (...args: readonly string[]) =>
    troupe.run("engine", "--port", "0", ...args).then(
      () => "started",
      (error: unknown) => (TroupeError.is(error) ? `${error.group}.${error.code}` : String(error)),
    );
  const file = (name: string, text: string) => troupe.write(name, text);
  expect(await refused()).toBe("config.no_host_token");
  expect(await refused("--tokens", "none.json")).toBe("config.file_missing");
  for (const text of [
    "secret",
    "[]",
    '[{"token":"a","pools":"b"}]',
    '[{"token":""}]',
    '[{"pool":"b"}]',
    "[7]",
  ])
    expect(await refused("--tokens", file("tokens.json", text))).toBe("config.bad_tokens");
  troupe.env = secret;
  expect(await refused("--namespace", "a b")).toBe("namespace.invalid_name");
  expect(await refused("--host", "0.0.0.0")).toBe("config.unsafe_bind");
  expect(await refused("--port", "many")).toBe("config.invalid_option");
  for (const limit of ["soon", "", "0", "60001"])
    expect(await refused("--sql-time-limit", limit)).toBe("config.invalid_option");
});
