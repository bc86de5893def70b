/**
 * `c.runtimeSocket()`: real child processes, in Node and in Python, that work on their actor's SQL, keys and values, state and
 * events.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { createClient } from "@troupe/client";
import { decodeCbor, encodeCbor, engineLimits, limits } from "@troupe/protocol";
import { actor, db, event, remoteActor, setup } from "@troupe/runtime";
import { connectRuntimeSocket } from "@troupe/runtime/runtime-socket";
import { expect, test, vi } from "vitest";
import { Driver } from "../driver/driver.ts";
import { rejection } from "../driver/watch.ts";

const client = import.meta.resolve("@troupe/runtime/runtime-socket");
const python = fileURLToPath(new URL("../../../../sdks/python", import.meta.url));

const desk = actor({
  state: { title: "none", done: 0 },
  events: { changed: event<string>() },
  db: db({
    onMigrate: async (database) => {
      await database.execute("CREATE TABLE IF NOT EXISTS notes (text TEXT, n INTEGER)");
    },
  }),
  options: { sleepTimeout: 60_000 },
  actions: {
    socket: (c) => c.runtimeSocket(),
    notes: async (c) =>
      (await c.db.execute<{ text: string }>("SELECT text FROM notes")).map(({ text }) => text),
    read: async (c) => ({ ...c.snapshot(), kv: await c.kv.get("made by") }),
    note: async (c, text: string) => void (await c.db.execute("INSERT INTO notes VALUES (?, 0)", text)),
    rest: (c) => c.sleep(),
  },
});

const quiet = { port: 0, durability: "memory", signals: false, banner: false } as const;

async function started() {
  const registry = setup({ use: { desk } });
  await registry.start(quiet);
  const handle = (await registry.client()).desk.getOrCreate("a");
  return { registry, handle, address: await handle.socket(), [Symbol.asyncDispose]: () => registry.stop() };
}

function child(script: string, env: Readonly<Record<string, string>>): ChildProcess {
  const args = ["--conditions=troupe-source", "--input-type=module", "-e", script];
  return spawn(process.execPath, args, {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
    cwd: fileURLToPath(new URL(".", import.meta.url)),
  });
}

async function said(process: ChildProcess): Promise<string> {
  let out = "";
  process.stdout?.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  await once(process, "close");
  return out;
}

const work = `
  import { connectRuntimeSocket } from ${JSON.stringify(client)};
  await using actor = await connectRuntimeSocket();
  await actor.query("INSERT INTO notes VALUES (?, ?)", ["one", 9007199254740993n]);
  const { columns, rows, changes } = await actor.query("SELECT text, n FROM notes WHERE text = :text", { text: "one" });
  await actor.transaction(async (tx) => {
    await tx.query("INSERT INTO notes VALUES ('two', 2)");
    await tx.query("INSERT INTO notes VALUES ('three', 3)");
  });
  const half = [{ sql: "INSERT INTO notes VALUES (?, 4)", args: ["never"] }, "SELECT nothing"];
  await actor.batch(half).catch(() => {});
  const undone = await actor.transaction(async (tx) => {
    await tx.query("INSERT INTO notes VALUES ('never', 4)");
    throw new Error("changed my mind");
  }).catch((error) => error.message);
  await actor.kv.put("made by", "a child");
  const found = (await actor.kv.list("made")).map(([key, value]) => Buffer.from(key) + "=" + Buffer.from(value));
  await actor.state.set("title", "from a child");
  await actor.broadcast("changed", "now");
  const wrong = await actor.query("SELECT nothing").catch((error) => error.group);
  console.log(JSON.stringify({ columns, big: typeof rows[0][1], undone, found, state: await actor.state.get(), wrong }));
`;

test("a child process in Node has its actor's SQL, transactions, keys and values, state and events", async () => {
  await using stage = await started();
  const connection = stage.handle.connect();
  const changed = new Promise((resolve) => connection.on("changed", resolve));
  await connection.read();
  const told = JSON.parse(await said(child(work, stage.address.env)));
  expect(told).toEqual({
    columns: ["text", "n"],
    big: "bigint",
    undone: "changed my mind",
    found: ["made by=a child"],
    state: { title: "from a child", done: 0 },
    wrong: "sql",
  });
  expect(await changed).toBe("now");
  expect(await stage.handle.notes()).toEqual(["one", "two", "three"]);
  expect(await stage.handle.read()).toEqual({ title: "from a child", done: 0, kv: "a child" });
  await connection.dispose();
});

test("a child process in Python has the same, with its values", async () => {
  await using stage = await started();
  const script = `
import json
from troupe_plugin.runtime_socket import RuntimeSocketError, connect
with connect() as actor:
    actor.query("INSERT INTO notes VALUES (?, ?)", ["ein", 2**60])
    try:
        with actor.transaction() as tx:
            tx.query("INSERT INTO notes VALUES (:text, 1)", {"text": "never"})
            raise ValueError("changed my mind")
    except ValueError:
        pass
    with actor.transaction(timeout_ms=5000) as tx:
        tx.batch([("INSERT INTO notes VALUES (?, 2)", ["zwei"]), "SELECT 1"])
    actor.kv_put("made by", b"Python")
    actor.set_state("done", 7)
    actor.broadcast("changed", "py")
    try:
        actor.query("SELECT nothing")
    except RuntimeSocketError as error:
        wrong = error.group
    rows = actor.query("SELECT n FROM notes ORDER BY n DESC")["rows"]
    print(json.dumps([actor.name, actor.key, rows, actor.kv_get("made by").decode(), actor.kv_list("made")[0][0].decode(), actor.state(), wrong]))
`;
  const process_ = spawn("python3", ["-c", script], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...stage.address.env, PYTHONPATH: python },
  });
  expect(JSON.parse(await said(process_))).toEqual([
    "desk",
    ["a"],
    [[Number(2n ** 60n)], [2]],
    "Python",
    "made by",
    { title: "none", done: 7 },
    "sql",
  ]);
  expect(await stage.handle.notes()).toEqual(["ein", "zwei"]);
});

test("kill -9 in the middle of a transaction undoes it, and the next one has its turn", async () => {
  await using stage = await started();
  const script = `
    import { connectRuntimeSocket } from ${JSON.stringify(client)};
    const actor = await connectRuntimeSocket();
    await actor.transaction(async (tx) => {
      await tx.batch(["INSERT INTO notes VALUES ('half', 1)"]);
      await actor.kv.put("made by", "who is gone");
      await actor.state.set("title", "set meanwhile");
      console.log("in it");
      await new Promise((resolve) => setTimeout(resolve, 60_000));
    }, { timeoutMs: 60_000 });`;
  const victim = child(script, stage.address.env);
  await once(victim.stdout ?? victim, "data");
  const next = stage.handle.note("after");
  victim.kill("SIGKILL");
  await next;
  expect(await stage.handle.notes()).toEqual(["after"]);
  // The database alone is undone; what waited for it is stored with its end.
  expect(await stage.handle.read()).toEqual({ title: "set meanwhile", done: 0, kv: "who is gone" });
});

test("leases are their connection's own, end once, and don't outlive their time", async () => {
  await using stage = await started();
  await using one = await connectRuntimeSocket(stage.address);
  const late = one.transaction(
    async (tx) => {
      await tx.query("INSERT INTO notes VALUES ('late', 1)");
      await expect.poll(() => rejection(tx.query("SELECT 1"))).toBe("sql.transaction_timed_out");
    },
    { timeoutMs: 50 },
  );
  expect(await rejection(late)).toBe("sql.transaction_timed_out");
  expect(await stage.handle.notes()).toEqual([]);
  const spoken = new Spoken(stage.address.path);
  spoken.say({ kind: "hello", versions: [1], token: stage.address.token });
  const query = { kind: "request", do: "sql.query", sql: "SELECT 1" };
  for (const lease of [1, 7, "x", -1, {}]) {
    spoken.say({ ...query, id: 1, lease });
    expect(await spoken.answer()).toMatchObject({ error: { code: "unknown_lease" } });
  }
  spoken.socket.destroy();
});

test("when the actor begins to stop, processes are told, their transactions undone, and the door is gone", async () => {
  await using stage = await started();
  const one = await connectRuntimeSocket(stage.address);
  const open = one.transaction(async (tx) => {
    await tx.query("INSERT INTO notes VALUES ('open', 1)");
    await stage.handle.rest().catch(() => {});
    await expect.poll(() => rejection(tx.query("SELECT 1"))).toBe("runtime_socket.ended");
  });
  expect(await rejection(open)).toBe("runtime_socket.ended");
  await expect.poll(() => existsSync(stage.address.path)).toBe(false);
  expect(await stage.handle.notes()).toEqual([]);
  const again = await stage.handle.socket();
  expect(again.path).not.toBe(stage.address.path);
  expect(again.token).not.toBe(stage.address.token);
});

/** A process that says exactly what the test says. */
class Spoken {
  readonly socket;
  closed = false;
  readonly #heard: unknown[] = [];
  #bytes = Buffer.alloc(0);

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.closed = true;
    });
    this.socket.on("data", (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      while (this.#bytes.length >= 4 && this.#bytes.length >= 4 + this.#bytes.readUInt32BE()) {
        const end = 4 + this.#bytes.readUInt32BE();
        this.#heard.push(decodeCbor(this.#bytes.subarray(4, end)));
        this.#bytes = this.#bytes.subarray(end);
      }
    });
  }

  /** Welcomes are passed over. */
  async answer(): Promise<unknown> {
    await expect.poll(() => this.#heard.some((one) => Object(one).kind !== "welcome")).toBe(true);
    return this.#heard.splice(0).find((one) => Object(one).kind !== "welcome");
  }

  say(message: object): void {
    const body = encodeCbor(message);
    const head = Buffer.alloc(4);
    head.writeUInt32BE(body.byteLength);
    this.socket.write(Buffer.concat([head, body]));
  }
}

test("wrong tokens, versions and nonsense are refused by name, and hurt nobody else", async () => {
  await using stage = await started();
  const { path, token } = stage.address;
  const refused = async (speak: (spoken: Spoken) => void): Promise<unknown> => {
    const spoken = new Spoken(path);
    speak(spoken);
    const answer = await spoken.answer();
    await expect.poll(() => spoken.closed).toBe(true);
    return Object(answer).error?.code;
  };
  const hello = { kind: "hello", versions: [1], token };
  const bytes = (...values: number[]) => Uint8Array.from(values);
  expect(await refused((one) => one.say({ ...hello, token: "guess" }))).toBe("wrong_token");
  expect(await refused((one) => one.say({ ...hello, versions: [2, 3] }))).toBe("version_unsupported");
  expect(await refused((one) => one.say({ kind: "request", id: 1, do: "state.get" }))).toBe("malformed");
  expect(await refused((one) => one.socket.write(bytes(0, 0, 0, 1, 0xff)))).toBe("malformed");
  expect(await refused((one) => one.socket.write(bytes(0, 0, 0, 0)))).toBe("malformed");
  expect(await refused((one) => one.socket.write("GET / HTTP/1.1\r\n\r\n"))).toBe("too_long");
  const twice = (one: Spoken): void => {
    one.say(hello);
    for (let turn = 0; turn < 2; turn += 1)
      one.say({ kind: "request", id: 1, do: "sql.query", sql: "SELECT 1" });
  };
  expect(await refused(twice)).toBe("malformed");
  await using good = await connectRuntimeSocket(stage.address);
  expect(await rejection(connectRuntimeSocket({ path, token: "guess" }))).toBe("runtime_socket.wrong_token");
  expect(await good.state.get()).toEqual({ title: "none", done: 0 });
});

test("a process that no actor has started is told which variable is missing, in TypeScript and in Python", async () => {
  const refused = (options?: Parameters<typeof connectRuntimeSocket>[0]) =>
    connectRuntimeSocket(options).catch((error: unknown) => error);
  const missing = (name: string) => ({
    group: "runtime_socket",
    code: "not_given",
    message: expect.stringContaining(name),
    metadata: { name },
  });
  vi.stubEnv("TROUPE_RUNTIME_SOCKET", undefined);
  vi.stubEnv("TROUPE_RUNTIME_TOKEN", undefined);
  try {
    expect(await refused()).toMatchObject(missing("TROUPE_RUNTIME_SOCKET"));
    expect(await refused({ path: "/nowhere.sock" })).toMatchObject(missing("TROUPE_RUNTIME_TOKEN"));
    const script = `
from troupe_plugin.runtime_socket import RuntimeSocketError, connect
try:
    connect()
except RuntimeSocketError as error:
    print(error.group, error.code, error.metadata["name"])`;
    const orphan = spawn("python3", ["-c", script], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, PYTHONPATH: python },
    });
    expect((await said(orphan)).trim()).toBe("runtime_socket not_given TROUPE_RUNTIME_SOCKET");
  } finally {
    vi.unstubAllEnvs();
  }
});

test("what is wrong with one request is its own matter", async () => {
  await using stage = await started();
  const spoken = new Spoken(stage.address.path);
  spoken.say({ kind: "hello", versions: [1], token: stage.address.token });
  const ask = async (fields: object): Promise<string> => {
    spoken.say({ kind: "request", id: 1, ...fields });
    const { error } = Object(await spoken.answer());
    return `${error.group}.${error.code}`;
  };
  expect(await ask({ do: "everything" })).toBe("runtime_socket.unknown_operation");
  expect(await ask({ do: 7 })).toBe("runtime_socket.invalid_field");
  expect(await ask({ do: "sql.query", sql: 7 })).toBe("runtime_socket.invalid_field");
  expect(await ask({ do: "sql.query", sql: "SELECT 1", params: "x" })).toBe("runtime_socket.invalid_field");
  expect(await ask({ do: "sql.begin", timeoutMs: -1 })).toMatch(/^sql\./);
  expect(await ask({ do: "kv.put", key: "k" })).toBe("runtime_socket.invalid_field");
  expect(await ask({ do: "kv.put", key: "k", value: new Uint8Array(limits.kvValueBytes + 1) })).toMatch(
    /^kv\./,
  );
  expect(await ask({ do: "events.broadcast", name: "changed", args: "x" })).toBe(
    "runtime_socket.invalid_field",
  );
  expect(await ask({ do: "sql.query", sql: `SELECT hex(zeroblob(${5 * 1024 * 1024}))` })).toBeTruthy();
  spoken.say({ kind: "request", id: 2, do: "state.get" });
  expect(await spoken.answer()).toMatchObject({ value: { title: "none" } });
  spoken.socket.destroy();
});

test("a flood waits for its answers, and more processes than there is room for are refused", async () => {
  await using stage = await started();
  await using flood = await connectRuntimeSocket(stage.address);
  const many = Array.from({ length: 2_000 }, (_, n) => flood.query("INSERT INTO notes VALUES ('x', ?)", [n]));
  expect((await Promise.all(many)).length).toBe(2_000);
  expect((await stage.handle.notes()).length).toBe(2_000);
  const others = Array.from({ length: engineLimits.runtimeSocketConnections + 5 }, () =>
    connectRuntimeSocket(stage.address),
  );
  const settled = await Promise.allSettled(others);
  const refused = settled.flatMap((one) => (one.status === "rejected" ? [one.reason.code] : []));
  expect(refused).toEqual(Array.from({ length: 6 }, () => "too_many"));
  await Promise.all(settled.map((one) => one.status === "fulfilled" && one.value.close()));
});

test("behind actor/v1: a remote host in Node has the socket on its own machine; where there are none it is refused by name", async () => {
  const engine = setup({
    use: { desk: remoteActor<typeof desk>({ database: true }) },
    hosts: { token: "secret" },
  });
  const { endpoint } = await engine.start(quiet);
  const host = await setup({ use: { desk } }).startHost({ endpoint, token: "secret", signals: false });
  const remote = createClient<typeof engine>(endpoint);
  const handle = remote.desk.getOrCreate("a");
  const address = await handle.socket();
  const process_ = await connectRuntimeSocket(address);
  await process_.transaction(async (tx) => void (await tx.query("INSERT INTO notes VALUES ('remote', 1)")));
  await process_.state.set("title", "remote");
  await process_.close();
  expect([await handle.notes(), (await handle.read()).title]).toEqual([["remote"], "remote"]);
  await remote.dispose();
  host.close();
  await engine.stop();
  await using driver = await Driver.start({ desk }, { databases: true });
  expect(await driver.act("desk?key=a", "socket")).toMatchObject({ code: "runtime_socket.unavailable" });
});
