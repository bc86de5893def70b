/** A damaged file: whose calls fail and how, what the callers and the log are told, and what a watcher sees. */
import { closeSync, openSync, readdirSync, rmSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { actor, db, type Registry, setup } from "@troupe/runtime";
import { afterEach, expect, test, vi } from "vitest";
import { openDatabase } from "../../src/node/sqlite/sqlite.ts";
import { temporaryDirectory } from "../storage/test-env.ts";

const vault = actor({
  db: db({
    onMigrate: async (database) => {
      await database.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT)");
    },
  }),
  state: { n: 0 },
  actions: {
    add: async (c) => {
      await c.db.execute("INSERT INTO notes VALUES (?)", "x".repeat(2_000));
      c.state.n += 1;
      return c.state.n;
    },
    count: async (c) => (await c.db.execute("SELECT count(text) AS n FROM notes WHERE text > ''"))[0],
  },
});
const counter = actor({
  state: { n: 0 },
  actions: { add: (c) => ++c.state.n, later: (c) => c.schedule.after(3_600_000, "add") },
});
const use = { vault, counter };

class Serving implements AsyncDisposable {
  readonly #registry: Registry<typeof use>;
  readonly endpoint: string;

  private constructor(registry: Registry<typeof use>, endpoint: string) {
    this.#registry = registry;
    this.endpoint = endpoint;
  }

  static async start(dataDir: string): Promise<Serving> {
    const registry = setup({ use });
    const { endpoint } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
    return new Serving(registry, endpoint);
  }

  /** The output, or the error as its caller gets it. */
  async call(name: string, key: string, action = "add"): Promise<unknown> {
    const answer = await fetch(`${this.endpoint}/actor/${name}/action/${action}?key=${key}`, {
      method: "POST",
    });
    const body = (await answer.json()) as { output?: unknown; error?: object };
    return body.error === undefined ? body.output : { status: answer.status, ...body.error };
  }

  async ready(): Promise<string> {
    const answer = await fetch(`${this.endpoint}/readyz`);
    return `${answer.status} ${await answer.text()}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#registry.stop();
  }
}

/** What is written to the log. */
function log(): { readonly text: string } {
  const lines: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((line) => lines.push(String(line)) > 0);
  return {
    get text() {
      return lines.join("");
    },
  };
}

const ownFiles = (dataDir: string) =>
  readdirSync(join(dataDir, "actors"))
    .filter((name) => /^[0-9a-f]{32}\.db$/.test(name))
    .sort()
    .map((name) => join(dataDir, "actors", name));

const damaged = {
  status: 500,
  group: "storage",
  code: "corrupt",
  retryable: false,
  message: expect.stringMatching(/^This actor's data .*restore it from a backup/),
};

afterEach(() => {
  vi.restoreAllMocks();
});

test.each([
  ["garbage", (path: string) => writeFileSync(path, "not a database ".repeat(1_000))],
  ["cut", (path: string) => truncateSync(path, 4_096)],
])(
  "an actor's own file is %s: its calls say so without a path, others go on, /readyz says no",
  async (_, damage) => {
    using directory = temporaryDirectory();
    const lines = log();
    {
      await using before = await Serving.start(directory.path);
      for (const key of ["a", "b"]) expect(await before.call("vault", key)).toBe(1);
      expect(await before.call("counter", "c")).toBe(1);
      expect(await before.ready()).toBe("200 ok\n");
    }
    const [first = ""] = ownFiles(directory.path);
    damage(first);
    await using serving = await Serving.start(directory.path);
    expect(await serving.ready()).toBe("200 ok\n");
    const answer = await serving.call("vault", "a");
    expect(answer).toMatchObject(damaged);
    expect(JSON.stringify(answer)).not.toContain(directory.path);
    expect(lines.text).toContain(first);
    expect(await serving.ready()).toBe("503 storage.corrupt\n");
    expect((await fetch(`${serving.endpoint}/livez`)).status).toBe(200);
    expect(await serving.call("vault", "b")).toBe(2);
    expect(await serving.call("counter", "c")).toBe(2);
    // Nothing makes it another actor.
    expect(await serving.call("vault", "a")).toMatchObject(damaged);
  },
);

test("a page of an actor's own tables is garbage: the statement that meets it says so", async () => {
  using directory = temporaryDirectory();
  log();
  {
    await using before = await Serving.start(directory.path);
    for (let count = 0; count < 20; count += 1) await before.call("vault", "a");
  }
  const [first = ""] = ownFiles(directory.path);
  const database = openDatabase(first);
  const page = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'notes'").get();
  database.close();
  const at = (Number(page?.["rootpage"]) - 1) * 4_096;
  const fd = openSync(first, "r+");
  writeSync(fd, Buffer.alloc(4_096, 0xaa), 0, 4_096, at);
  closeSync(fd);
  await using serving = await Serving.start(directory.path);
  expect(await serving.call("vault", "a", "count")).toMatchObject(damaged);
  expect(await serving.ready()).toBe("503 storage.corrupt\n");
});

test("a row in the shard has other bytes: its actor alone says so, and /readyz from then on", async () => {
  using directory = temporaryDirectory();
  const lines = log();
  {
    await using before = await Serving.start(directory.path);
    for (const key of ["torn", "whole"]) await before.call("counter", key);
  }
  const path = join(directory.path, "shard-00.db");
  const database = openDatabase(path);
  database.exec("UPDATE rows SET value = CAST('wrong' AS BLOB) WHERE actor = 1");
  database.close();
  await using serving = await Serving.start(directory.path);
  expect(await serving.ready()).toBe("200 ok\n");
  const answer = await serving.call("counter", "torn");
  expect(answer).toMatchObject(damaged);
  expect(JSON.stringify(answer)).not.toContain(directory.path);
  expect(lines.text).toContain(path);
  expect(await serving.ready()).toBe("503 storage.corrupt\n");
  expect(await serving.call("counter", "whole")).toBe(2);
});

test("a shard can't be read at all: the process starts, says why it isn't ready, and tells each caller", async () => {
  using directory = temporaryDirectory();
  const lines = log();
  {
    await using before = await Serving.start(directory.path);
    await before.call("counter", "a");
    await before.call("counter", "a", "later");
  }
  const path = join(directory.path, "shard-00.db");
  writeFileSync(path, "not a database ".repeat(1_000));
  await using serving = await Serving.start(directory.path);
  expect(await serving.ready()).toBe("503 storage.corrupt\n");
  const answer = await serving.call("counter", "a");
  expect(answer).toMatchObject(damaged);
  expect(JSON.stringify(answer)).not.toContain(directory.path);
  expect(lines.text).toContain(path);
  rmSync(path);
});
