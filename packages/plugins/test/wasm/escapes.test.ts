/** What hostile modules try, and where it ends: before they run, or in their own thread, with a name. */
import type { TroupeError } from "@troupe/base";
import { describe, expect, test } from "vitest";
import type { Carrier } from "../../src/carrier.ts";
import { wasmCarrier } from "../../src/carriers/wasm/wasm-carrier.ts";
import { assemble, I32, I64, op, type Parts, unsigned } from "../support/assemble.ts";

/** What doesn't loop has as long as the machine takes. */
const SLOW_MS = 60_000;
const LOOP_MS = 1_000;
const ping = { body: { $case: "ping", value: { number: 1 } } } as const;

function opened(
  module: Uint8Array,
  ended: (error: TroupeError | undefined) => void = () => {},
  timeLimitMs = SLOW_MS,
): Promise<Carrier> {
  return wasmCarrier({ wasm: async () => module, timeLimitMs })({ frame: () => {}, ended });
}

/** Opens it, says one thing to it, and gives what became of it. */
async function fate(module: Uint8Array, timeLimitMs?: number): Promise<TroupeError | undefined> {
  const end = Promise.withResolvers<TroupeError | undefined>();
  const carrier = await opened(module, end.resolve, timeLimitMs);
  carrier.send(ping);
  const error = await end.promise;
  expect(await carrier.close(1_000)).toEqual({ clean: true });
  return error;
}

const PAGES_4_GIB = unsigned(65_536);
const module = (parts: Parts = {}) => assemble(parts);
const memory = (...memories: readonly (readonly number[])[]) => module({ memories });
const importing = (from: string, name: string, ...description: readonly number[]) =>
  module({ imports: [[from, name, description]] });

/** Refused before anything of it runs: by what its bytes say. */
const refused: readonly (readonly [what: string, bytes: Uint8Array, code: string, why: RegExp])[] = [
  ["nothing", new Uint8Array(0), "not_wasm", /./],
  ["a text", new TextEncoder().encode("export default 1;"), "not_wasm", /magic/],
  ["half a module", module().subarray(0, 60), "not_wasm", /./],
  ["a component", Uint8Array.from([0, 0x61, 0x73, 0x6d, 0x0d, 0, 1, 0]), "not_wasm", /version/],
  [
    "a file of WASI's",
    importing("wasi_snapshot_preview1", "fd_write", 0, 4),
    "import_refused",
    /wasi_snapshot_preview1\.fd_write/,
  ],
  ["the environment of another host", importing("env", "abort", 0, 7), "import_refused", /env\.abort/],
  ["a function that we don't have", importing("troupe", "exec", 0, 7), "import_refused", /troupe\.exec/],
  [
    "a global under our name",
    module({ imports: [["troupe", "now_ms", [3, I32, 0]]], code: { troupe_plugin_alloc: op.i32(1_024) } }),
    "import_refused",
    /global/,
  ],
  ["a table under our name", importing("troupe", "random", 1, 0x70, 0, 1), "import_refused", /table/],
  ["a memory of the host's", importing("env", "memory", 2, 1, 1, 2), "import_refused", /memory/],
  ["shared memory of the host's", importing("troupe", "memory", 2, 3, 1, 2), "import_refused", /memory/],
  ["the engine's own texts", importing("wasm:js-string", "cast", 0, 7), "import_refused", /js-string/],
  ["its own prototype", importing("troupe", "constructor", 0, 7), "import_refused", /constructor/],
  ["memory without an end", memory([0, 8]), "wasm_refused", /any number of bytes/],
  ["memory of 4 GiB", memory([1, 8, ...PAGES_4_GIB]), "wasm_refused", /4294967296 bytes/],
  ["two memories, too large together", memory([1, 8, 0x80, 0x20], [1, 8, 16]), "wasm_refused", /268435456/],
  ["memory that threads share", memory([3, 8, 16]), "wasm_refused", /shared/],
  ["memory of 64 bits", memory([5, 8, 16]), "wasm_refused|not_wasm", /64 bits|./],
  ["a table without an end", module({ tables: [[0x70, 0, 1]] }), "wasm_refused", /any number of entries/],
  [
    "a table of ten million",
    module({ tables: [[0x70, 1, 1, ...unsigned(10_000_000)]] }),
    "wasm_refused",
    /10000000 entries/,
  ],
  ["structs on the engine's heap", module({ types: [[0x5f, 1, I32, 0]] }), "wasm_refused", /garbage/],
  ["arrays on the engine's heap", module({ types: [[0x5e, I32, 1]] }), "wasm_refused", /garbage/],
  [
    "a plugin without its functions",
    module({ exports: { troupe_plugin_push: undefined, troupe_plugin_pull: undefined } }),
    "export_missing",
    /troupe_plugin_push\(\), troupe_plugin_pull\(\)/,
  ],
  ["a plugin without memory", module({ exports: { memory: undefined } }), "export_missing", /memory/],
  ["a function called memory", module({ exports: { memory: [0, 0] } }), "export_missing", /memory/],
  ["a global called push", module({ exports: { troupe_plugin_push: [3, 0] } }), "export_missing", /push/],
];

test.each(refused)("refused before it runs: %s", async (_, bytes, code, why) => {
  const error = await opened(bytes).catch((refusal: TroupeError) => refusal);
  expect(error).toMatchObject({ group: "plugin", message: expect.stringMatching(why) });
  expect(code.split("|")).toContain((error as TroupeError).code);
});

const random = module({
  imports: [["troupe", "random", [0, 2]]],
  code: { troupe_plugin_push: [...op.i32(0), ...op.i32(2 ** 31 - 1), ...op.call(0), ...op.i32(0)] },
});

/** Its thread doesn't open: what it does meanwhile. */
const whileItOpens: readonly (readonly [what: string, parts: Parts, code: string, why: RegExp])[] = [
  ["a start without an end", { code: { start: op.forever.slice(0, 5) } }, "time_exceeded", /1000 ms/],
  ["a start that traps", { code: { start: op.unreachable } }, "trapped", /unreachable/],
  ["an open without an end", { code: { troupe_plugin_open: op.forever } }, "time_exceeded", /1000 ms/],
  ["an open that says no", { code: { troupe_plugin_open: op.i32(7) } }, "open_failed", /gave 7/],
  ["another ABI", { code: { troupe_plugin_abi: op.i32(0x0002_0000) } }, "abi_mismatch", /version 2/],
  ["no room for the host", { code: { troupe_plugin_alloc: op.i32(0) } }, "no_memory", /65536 bytes/],
  [
    "room behind its memory",
    { code: { troupe_plugin_alloc: op.i32(8 * 65_536 - 100) } },
    "violation",
    /outside/,
  ],
  ["room at minus one", { code: { troupe_plugin_alloc: op.i32(-1) } }, "violation", /4294967295/],
];

test.each(whileItOpens)("doesn't open: %s", async (_, parts, code, why) => {
  const limitMs = code === "time_exceeded" ? LOOP_MS : SLOW_MS;
  await expect(opened(module(parts), undefined, limitMs)).rejects.toMatchObject({
    code,
    message: expect.stringMatching(why),
  });
});

const push = (code: readonly number[], more: Parts = {}): Uint8Array =>
  module({ ...more, code: { troupe_plugin_push: code } });
const pull = (code: readonly number[]): Uint8Array => module({ code: { troupe_plugin_pull: code } });
/** Writes a number where the host takes frames from, and says that so many bytes are there. */
const saying = (word: number, bytes: bigint): readonly number[] => [
  ...[...op.local(1), ...op.i32(word), ...op.store],
  ...op.i64(bytes),
];
/** Says it once. */
const says = (word: number, bytes: bigint): Uint8Array =>
  pull([
    ...[...op.i32(512), ...op.load, 0x04, I64, ...op.i64(0n), 0x05],
    ...[...op.i32(512), ...op.i32(1), ...op.store, ...saying(word, bytes), 0x0b],
  ]);

const recursion = push([...op.local(0), ...op.local(1), ...op.local(2), ...op.call(4)]);

/** It opens, and then is told something. */
const whileItRuns: readonly (readonly [what: string, bytes: Uint8Array, code: string, why: RegExp])[] = [
  ["a loop without an end", push(op.forever), "time_exceeded", /1000 ms/],
  ["a trap", push(op.unreachable), "trapped", /unreachable/],
  [
    "writing behind its memory",
    push([...op.i32(-16), ...op.i32(1), ...op.store, ...op.i32(0)]),
    "trapped",
    /bounds/,
  ],
  ["reading behind its memory", push([...op.i32(8 * 65_536), ...op.load]), "trapped", /bounds/],
  [
    "filling more than its memory",
    push([...op.i32(0), ...op.i32(1), ...op.i32(-1), ...op.fill, ...op.i32(0)]),
    "trapped",
    /bounds/,
  ],
  ["recursion without an end", recursion, "trapped", /stack/],
  [
    "an entry of a table that is empty",
    push([...op.i32(0), ...op.callIndirect(0)], { tables: [[0x70, 1, 1, 1]] }),
    "trapped",
    /table|null|signature/,
  ],
  ["random bytes behind its memory", random, "violation", /2147483647 bytes at 0, outside/],
  ["more bytes than there is room for", pull(op.i64(1_000_000n)), "violation", /1000000 bytes where 65536/],
  ["a wish for 8 EiB", pull(op.i64(-(2n ** 63n))), "broken", /gave/],
  ["a wish for no more than it had", pull(op.i64(-10n)), "broken", /gave -10/],
  ["half a frame's length", says(0, 2n), "violation", /2 bytes that aren't a frame/],
  ["a frame of 4 GiB", says(-1, 4n), "frame_too_long", /4294967295/],
  ["a frame of which nothing is there", says(100, 4n), "violation", /100 bytes of which 0/],
  ["a frame that isn't one", says(0xff00_0004 | 0, 4n), "frame_too_long|violation", /./],
  ["frames refused with an empty queue", push(op.i32(1)), "broken", /took nothing/],
  ["its own end", push(op.i32(-1)), "broken", /gave -1/],
  [
    "functions under each other's names",
    module({ exports: { troupe_plugin_push: [0, 2] } }),
    "violation",
    /no number/,
  ],
];

test.each(whileItRuns)("ends by itself, and the host serves on: %s", async (_, bytes, code, why) => {
  const error = await fate(bytes, code === "time_exceeded" ? LOOP_MS : SLOW_MS);
  expect(error).toMatchObject({ group: "plugin", message: expect.stringMatching(why) });
  expect(code.split("|")).toContain(error?.code);
});

test("the corpus: at least 40 modules, each another one", () => {
  const all = [...refused.map(([what]) => what), ...whileItOpens.map(([what]) => what)];
  all.push(...whileItRuns.map(([what]) => what));
  expect(new Set(all).size).toBe(all.length);
  expect(all.length).toBeGreaterThanOrEqual(40);
});

describe("what goes on", () => {
  test("memory grows to what the module declares, and no further: the module hears minus one", async () => {
    // From 8 pages to 16, then one more: a trap unless that was refused.
    const grows = [...op.i32(8), ...op.grow, ...op.i32(8), 0x47, 0x04, 0x40, 0x00, 0x0b];
    const stays = [...op.i32(1), ...op.grow, ...op.i32(-1), 0x47, 0x04, 0x40, 0x00, 0x0b];
    expect(await fate(push([...grows, ...stays, ...op.i32(-7)]))).toMatchObject({
      code: "broken",
      message: expect.stringContaining("gave -7"),
    });
  });

  test("one that is told to end and doesn't, is ended", async () => {
    const end = Promise.withResolvers<TroupeError | undefined>();
    const bytes = module({ code: { troupe_plugin_close: op.forever } });
    const carrier = await opened(bytes, end.resolve);
    expect(await carrier.close(100)).toEqual({ clean: true });
    expect(await end.promise).toBeUndefined();
  });

  test("one that never stops speaking keeps nobody from their turn, and is closed", async () => {
    const spoken = Promise.withResolvers<void>();
    const heard = { frames: 0, turnsOfOthers: 0 };
    const bytes = pull(saying(0, 4n));
    const carrier = await wasmCarrier({ wasm: async () => bytes })({
      frame: () => {
        heard.frames += 1;
        if (heard.frames === 200_000) spoken.resolve();
      },
      ended: () => spoken.reject(new Error("it ended")),
    });
    const others = setInterval(() => {
      heard.turnsOfOthers += 1;
    }, 0);
    carrier.send(ping);
    await spoken.promise;
    spoken.promise.catch(() => undefined);
    clearInterval(others);
    expect(heard.turnsOfOthers).toBeGreaterThan(0);
    expect(await carrier.close(5_000)).toEqual({ clean: true });
  });
});
