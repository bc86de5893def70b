/** `troupe backup` and `troupe restore`, of a server that works, of a folder at rest, and with processes killed in the middle. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PluginFolder } from "../support/plugin-folder.ts";
import { Started } from "../support/started.ts";

const program = `
import { actor, setup } from ${JSON.stringify(import.meta.resolve("troupe"))};
import { db } from ${JSON.stringify(import.meta.resolve("troupe/db"))};
const account = actor({
  db: db({ onMigrate: (database) => database.execute("CREATE TABLE IF NOT EXISTS entries (amount INTEGER, note BLOB)") }),
  state: { balance: 0 },
  actions: {
    pay: async (c, amount, bytes) => {
      await c.db.execute("INSERT INTO entries VALUES (?, randomblob(?))", amount, bytes);
      return (c.state.balance += amount);
    },
    look: async (c) => ({ balance: c.state.balance, entries: (await c.db.execute("SELECT sum(amount) AS sum FROM entries"))[0].sum }),
  },
});
export const registry = setup({ use: { account } });
`;

class Server implements AsyncDisposable {
  readonly #process: Started;
  readonly #endpoint: string;

  private constructor(process: Started, endpoint: string) {
    this.#process = process;
    this.#endpoint = endpoint;
  }

  static async start(folder: PluginFolder, data: string): Promise<Server> {
    const process = Started.troupe([
      "start",
      folder.write("program.ts", program),
      "--port",
      "0",
      "--data",
      data,
    ]);
    const [, endpoint = ""] = /(http:\S+)/.exec(await process.said(/http:\S+ /)) ?? [];
    return new Server(process, endpoint);
  }

  async call(action: string, ...args: readonly unknown[]): Promise<unknown> {
    const answer = await fetch(`${this.#endpoint}/actor/account/action/${action}?key=a`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ args }),
    });
    return ((await answer.json()) as { output: unknown }).output;
  }

  async kill(): Promise<void> {
    await this.#process.ended("SIGKILL");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#process[Symbol.asyncDispose]();
  }
}

const troupe = (...args: readonly string[]) => Started.troupe(args).ended();

test("a server is backed up while it works, then at rest after kill -9, and both are restored", async () => {
  using folder = new PluginFolder();
  const [data, live, rest, again] = ["data", "live", "rest", "again"].map((name) =>
    join(folder.path, name),
  ) as [string, string, string, string];
  {
    await using server = await Server.start(folder, data);
    expect(await server.call("pay", 5, 10)).toBe(5);
    const backup = await troupe("backup", data, live);
    expect(backup).toMatchObject({ code: 0, out: expect.stringMatching(/^Backed up \d+ files/) });
    expect(await server.call("pay", 2, 10)).toBe(7);
    await server.kill();
  }
  expect(await troupe("backup", data, rest, "--json")).toMatchObject({
    code: 0,
    out: expect.stringContaining('"files"'),
  });
  for (const [from, balance] of [
    [live, 5],
    [rest, 7],
  ] as const) {
    const to = `${again}-${balance}`;
    expect(await troupe("restore", from, to)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^Restored/),
    });
    await using server = await Server.start(folder, to);
    expect(await server.call("look")).toEqual({ balance, entries: balance });
  }
});

test.each(["client", "server"] as const)(
  "kill -9 of the %s in the middle leaves no half backup",
  async (who) => {
    using folder = new PluginFolder();
    const data = join(folder.path, "data");
    const to = join(folder.path, "backup");
    await using server = await Server.start(folder, data);
    for (let n = 1; n <= 12; n += 1) await server.call("pay", 1, 8_000_000);
    const command = Started.troupe(["backup", data, to]);
    await incomplete(folder.path);
    if (who === "client") {
      await command.ended("SIGKILL");
      // The server notices.
      while (left(folder.path).length > 0) await new Promise<void>((resolve) => setImmediate(resolve));
    } else {
      await server.kill();
      expect(await command.ended()).toMatchObject({
        code: 1,
        out: expect.stringContaining("[backup.server_lost]"),
      });
      expect(left(folder.path)).toHaveLength(1);
    }
    // It may have been whole a moment before.
    if (existsSync(to))
      expect(await troupe("restore", to, join(folder.path, "again"))).toMatchObject({ code: 0 });
    expect(await troupe("backup", data, `${to}-2`)).toMatchObject({ code: 0 });
    // What the killed one left went with it.
    expect(left(folder.path)).toEqual([]);
    expect(await troupe("restore", `${to}-2`, join(folder.path, "again-2"))).toMatchObject({ code: 0 });
  },
);

const left = (path: string) => readdirSync(path).filter((name) => name.startsWith(".troupe-incomplete-"));

/** One has its lock, by which others know whether it was left. */
async function incomplete(path: string): Promise<void> {
  const isLocked = (name: string) => existsSync(join(path, name, "lock.db"));
  while (!left(path).some(isLocked)) await new Promise<void>((resolve) => setImmediate(resolve));
}

test("what is no data folder, or no backup, is refused by name", async () => {
  using folder = new PluginFolder();
  const data = join(folder.path, "data");
  expect(await troupe("backup", data, join(folder.path, "b"))).toMatchObject({
    code: 1,
    out: expect.stringContaining("[backup.no_data]"),
  });
  expect(await troupe("restore", data, join(folder.path, "b"))).toMatchObject({
    code: 1,
    out: expect.stringContaining("[backup.not_a_backup]"),
  });
  expect(existsSync(join(folder.path, "b"))).toBe(false);
});
