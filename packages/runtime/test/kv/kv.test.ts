/** The key-value store of an actor: stored with its turn, read as it was written, in the order of bytes. */
import { limits } from "@troupe/protocol";
import { type ActorKv, actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";

type Entries = [key: string, value: string][];
let left: (() => Promise<unknown>) | undefined;

const shelf = actor({
  state: { writes: 0 },
  actions: {
    put: async (c, key: string, value: string) => {
      c.state.writes += 1;
      await c.kv.put(key, value);
    },
    get: (c, key: string) => c.kv.get(key),
    fill: (c, count: number, bytes = 1) => {
      for (let index = 0; index < count; index += 1) {
        void c.kv.put(`n${String(index).padStart(6, "0")}`, "x".repeat(bytes));
      }
    },
    list: (c, prefix: string, limit?: number) =>
      c.kv.list(prefix, limit === undefined ? {} : { limit }).then((entries) => entries.map(([key]) => key)),
    write: async (c, entries: Entries) => {
      await c.kv.batchPut(entries);
      return await c.kv.list("");
    },
    change: async (c) => {
      void c.kv.put("b", "2");
      void c.kv.delete("a");
      void c.kv.put("d", "4");
      await c.kv.deleteRange("d", "e");
      void c.kv.put("e", "5");
      return [
        await c.kv.list(""),
        await c.kv.get("a"),
        await c.kv.batchGet(["a", "b"]),
        await c.kv.listRange("b", "e", { reverse: true, limit: 1 }),
        await c.kv.list("", { limit: 0 }),
      ];
    },
    clear: (c, start: string, end: string) => c.kv.deleteRange(start, end),
    bytes: async (c) => {
      const key = Uint8Array.of(0xff, 0x00);
      const value = Uint8Array.of(1, 2, 255);
      void c.kv.put(key, value);
      value[0] = 9;
      void c.kv.put("buffer", Uint8Array.of(7).buffer);
      const [entry] = await c.kv.list(key, { keyType: "binary", type: "binary" });
      const buffer = await c.kv.get("buffer", { type: "arrayBuffer" });
      return [entry, buffer instanceof ArrayBuffer && buffer.byteLength];
    },
    refused: async (c, what: keyof typeof attempts) => await attempts[what](c.kv),
    leave: (c) => {
      left = () => c.kv.put("late", "1");
    },
    nap: (c) => c.sleep(),
  },
});

const attempts = {
  longKey: (kv: ActorKv) => kv.put("k".repeat(limits.kvKeyBytes + 1), ""),
  longestKey: (kv: ActorKv) => kv.put("é".repeat(limits.kvKeyBytes / 2), ""),
  longBytes: (kv: ActorKv) => kv.get(new Uint8Array(limits.kvKeyBytes + 1)),
  largeValue: (kv: ActorKv) => kv.put("a", new Uint8Array(limits.kvValueBytes + 1)),
  largestValue: (kv: ActorKv) => kv.put("a", new Uint8Array(limits.kvValueBytes)),
  manyKeys: (kv: ActorKv) => kv.batchGet(Array.from({ length: limits.kvBatchEntries + 1 }, () => "a")),
  largeBatch: (kv: ActorKv) =>
    kv.batchPut(Array.from({ length: 8 }, (_, index) => [`${index}`, new Uint8Array(limits.kvValueBytes)])),
  halfKey: (kv: ActorKv) => kv.get(String.fromCharCode(0xd800)),
  halfValue: (kv: ActorKv) => kv.put("a", String.fromCharCode(0xd800)),
  limit: (kv: ActorKv) => kv.list("", { limit: -1 }),
  text: async (kv: ActorKv) => {
    void kv.put("bytes", Uint8Array.of(0xff));
    return await kv.get("bytes");
  },
};

const codes: Readonly<Record<keyof typeof attempts, string | undefined>> = {
  longKey: "kv.key_too_long",
  longestKey: undefined,
  longBytes: "kv.key_too_long",
  largeValue: "kv.value_too_large",
  largestValue: undefined,
  manyKeys: "kv.batch_too_large",
  largeBatch: "kv.batch_too_large",
  halfKey: "kv.invalid_key",
  halfValue: "kv.invalid_value",
  limit: "kv.invalid_option",
  text: "kv.not_text",
};

test("a turn's keys and its state are one batch, and the reply waits for it", async () => {
  await using driver = await Driver.start({ shelf });
  await driver.act("shelf", "get", "a");
  driver.takeBatches();
  driver.syncs.hold();
  const put = watch(driver.act("shelf", "put", "a", "1"));
  await driver.world.idle();
  expect(driver.takeBatches().map((rows) => rows.map((row) => row.key))).toEqual([["s:writes", "~k:a"]]);
  const got = watch(driver.act("shelf", "get", "a"));
  await driver.world.idle();
  expect([put.state, got.state]).toEqual(["pending", "pending"]);
  driver.syncs.letGo();
  await driver.world.idle();
  expect([put.value?.status, got.value?.output]).toEqual([200, "1"]);
});

test("what nobody was told of is gone after a power cut, state and keys alike", async () => {
  await using driver = await Driver.start({ shelf });
  await driver.act("shelf", "put", "a", "1");
  driver.syncs.hold();
  void driver.act("shelf", "put", "a", "2").catch(() => {});
  await driver.world.idle();
  await driver.crash();
  expect((await driver.act("shelf", "get", "a")).output).toBe("1");
});

test("reads see what the turn wrote, over what is stored, without an await between", async () => {
  await using driver = await Driver.start({ shelf });
  const stored: Entries = [
    ["a", "1"],
    ["c", "3"],
  ];
  expect((await driver.act("shelf", "write", stored)).output).toEqual(stored);
  const { output } = await driver.act("shelf", "change");
  const now: Entries = [
    ["b", "2"],
    ["c", "3"],
    ["e", "5"],
  ];
  expect(output).toEqual([now, null, [null, expect.anything()], [["c", "3"]], []]);
  await driver.restart();
  expect((await driver.act("shelf", "list", "")).output).toEqual(["b", "c", "e"]);
});

test("keys keep the order of their UTF-8 bytes, and a prefix ends where it should", async () => {
  await using driver = await Driver.start({ shelf });
  const keys = ["", "\0", "Z", "a", "a\u007f", "aé", "a\uffff", "a😀", "b", "é"];
  await driver.act(
    "shelf",
    "write",
    keys.toReversed().map((key) => [key, key]),
  );
  expect((await driver.act("shelf", "list", "")).output).toEqual(keys);
  await driver.restart();
  expect((await driver.act("shelf", "list", "")).output).toEqual(keys);
  expect((await driver.act("shelf", "list", "a")).output).toEqual(["a", "a\u007f", "aé", "a\uffff", "a😀"]);
});

test("bytes are copied, and come back as what they are asked as", async () => {
  await using driver = await Driver.start({ shelf });
  const client = driver.local();
  expect(await client.shelf.getOrCreate([]).bytes()).toEqual([
    [Uint8Array.of(255, 0), Uint8Array.of(1, 2, 255)],
    1,
  ]);
});

test("a range is deleted whole, however many keys it has", async () => {
  await using driver = await Driver.start({ shelf });
  await driver.act("shelf", "fill", 1_000);
  await driver.act("shelf", "clear", "n000001", "n000999");
  expect((await driver.act("shelf", "list", "")).output).toEqual(["n000000", "n000999"]);
});

test.each(Object.keys(attempts))("limits and mistakes: %s", async (what) => {
  await using driver = await Driver.start({ shelf });
  const answer = await driver.act("shelf", "refused", what);
  expect(answer.code).toBe(codes[what as keyof typeof codes]);
  // The actor goes on.
  expect((await driver.act("shelf", "get", "never")).output).toBe(null);
});

test("a list has a length that it may have, and with a limit one can go on", async () => {
  await using driver = await Driver.start({ shelf });
  await driver.act("shelf", "fill", limits.kvListEntries);
  expect((await driver.act("shelf", "list", "")).output).toHaveLength(limits.kvListEntries);
  await driver.act("shelf", "put", "one more", "");
  expect((await driver.act("shelf", "list", "")).code).toBe("kv.list_too_long");
  expect((await driver.act("shelf", "list", "", 3)).output).toEqual(["n000000", "n000001", "n000002"]);
});

test("a list has a size that it may have, also of what isn't stored yet", async () => {
  await using driver = await Driver.start({ shelf });
  const count = limits.kvListBytes / limits.kvValueBytes;
  await driver.act("shelf", "fill", count, limits.kvValueBytes);
  expect((await driver.act("shelf", "list", "")).output).toHaveLength(count);
  expect((await driver.act("shelf", "write", [["z", "1"]])).code).toBe("storage.list_too_large");
});

test("after the end of its activation nobody writes", async () => {
  await using driver = await Driver.start({ shelf });
  await driver.act("shelf", "leave");
  await driver.act("shelf", "nap");
  await driver.world.idle();
  await expect(left?.()).rejects.toMatchObject({ group: "actor", code: "stopped" });
  expect((await driver.act("shelf", "get", "late")).output).toBe(null);
});
