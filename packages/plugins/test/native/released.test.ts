/**
 * What foreign code hands out is given back on every path: a plugin that was opened is closed once, whatever it says, and what
 * it answers beside an error isn't read.
 */
import { readdirSync } from "node:fs";
import { encodingNumber, type PluginFrame } from "@troupe/protocol/plugin/v1";
import { nodeEnv } from "@troupe/runtime/process";
import { expect, test } from "vitest";
import { checkDeclarations } from "../../src/activation/plugin-middleware.ts";
import { importFfi } from "../../src/carriers/native/ffi.ts";
import { openPlugin } from "../../src/carriers/native/native-carrier.ts";
import { parseManifest } from "../../src/manifest/manifest.ts";
import { openSession } from "../../src/session/open-session.ts";
import type { PluginSession } from "../../src/session/session.ts";
import { framed, ScriptedLibrary } from "../support/scripted-library.ts";

const KIND = 12;
const env = nodeEnv({ logLevel: "silent" });
const text = (content: string) => new TextEncoder().encode(content);
const nothing = new Uint8Array(0);

function ready(more: object = {}): PluginFrame {
  const value = {
    version: 1,
    encoding: encodingNumber("json"),
    name: "p",
    pluginVersion: "1.0.0",
    actors: [],
  };
  const middleware = [{ kind: KIND, name: "m", priority: 0 }];
  return { body: { $case: "ready", value: { ...value, middleware, ...more } } };
}

/** Answers Hello, and each call, as it is told. */
class Answering extends ScriptedLibrary {
  constructor(hello: (library: ScriptedLibrary) => void, call: Partial<Answer> = {}) {
    super();
    this.onPull = () => {
      for (const { body } of this.pushed.splice(0)) {
        if (body?.$case === "hello") hello(this);
        if (body?.$case !== "invoke") continue;
        const value = {
          payload: nothing,
          error: undefined,
          stream: false,
          ...call,
          invoke: body.value.invoke,
        };
        this.say({ body: { $case: "invokeResult", value } });
      }
    };
  }

  get closes(): number {
    return this.calls.filter((call) => call === "close").length;
  }
}

type Answer = Extract<NonNullable<PluginFrame["body"]>, { $case: "invokeResult" }>["value"];

async function session(library: ScriptedLibrary, timeoutMs = 10_000): Promise<PluginSession> {
  const ffi = await importFfi();
  const open = (events: Parameters<Parameters<typeof openSession>[0]["open"]>[0]) =>
    openPlugin({ ffi, library, config: nothing, events });
  return await openSession({ env, open, hostVersion: "0.0.0", timeoutMs });
}

/** Of the whole process: what other stories of it still close makes them fewer. */
function descriptors(): number {
  return process.platform === "linux" ? readdirSync("/proc/self/fd").length : 0;
}

const failed: PluginFrame = {
  body: {
    $case: "failed",
    value: {
      error: {
        ...{ group: "user", code: "no", message: "no", retryable: false, public: true, status: 400 },
        // Beside it, something that can't be read.
        metadata: text("{"),
      },
    },
  },
};

function give(library: ScriptedLibrary, bytes: Uint8Array): void {
  library.out = Buffer.concat([library.out, bytes]);
}

/** Ways to answer Hello, and the error of each. */
const openings: readonly (readonly [string, (library: ScriptedLibrary) => void, string])[] = [
  ["malformed bytes", (library) => give(library, framed(Buffer.from([0xff, 0xff, 0xff]))), "violation"],
  ["a frame that is cut", (library) => give(library, Buffer.from([9, 0, 0, 0, 1])), "violation"],
  ["a status below zero", (library) => Object.assign(library, { pullStatus: -(2 ** 40) }), "broken"],
  ["a declaration that can't be", (library) => library.say(ready({ name: "" })), "bad_declaration"],
  ["an encoding of nobody's", (library) => library.say(ready({ encoding: 77 })), "encoding_unsupported"],
  ["Failed, with metadata that can't be read", (library) => library.say(failed), "refused"],
  ["another frame", (library) => library.say({ body: { $case: "pong", value: { number: 1 } } }), "violation"],
];

test.each(openings)(
  "S5.5 a plugin that answers Hello with %s is closed, once",
  async (_title, hello, code) => {
    const before = descriptors();
    const library = new Answering(hello);
    await expect(session(library)).rejects.toMatchObject({ group: "plugin", code });
    expect(library.closes).toBe(1);
    await expect.poll(descriptors).toBeLessThanOrEqual(before);
  },
);

test("S5.5 one that never answers is closed as well, and so is one whose validation fails behind Ready", async () => {
  const before = descriptors();
  const silent = new Answering(() => {});
  await expect(session(silent, 50)).rejects.toMatchObject({ code: "open_timed_out" });
  expect(silent.closes).toBe(1);
  const greedy = new Answering((library) => library.say(ready()));
  const opened = await session(greedy);
  const manifest = parseManifest(
    'manifest_version = 1\n[plugin]\nid = "p"\nversion = "1.0.0"\nkind = "native"\n[compat]\ntroupe = "*"\n[load]\nlibrary = "p.so"\n',
    "/p/troupe-plugin.toml",
  );
  expect(() => checkDeclarations(manifest, opened.declared)).toThrow(/capabilities/);
  expect(await opened.close()).toEqual({ clean: true });
  expect(await opened.close()).toEqual({ clean: true });
  expect(greedy.closes).toBe(1);
  await expect.poll(descriptors).toBeLessThanOrEqual(before);
});

test("S5.5 an error status with an output set: the output isn't taken for a plugin, and the host's own is given back", async () => {
  const before = descriptors();
  const library = new ScriptedLibrary();
  library.open = () => Promise.resolve({ status: -7, plugin: 99n });
  await expect(session(library)).rejects.toMatchObject({ code: "open_failed", metadata: { status: -7 } });
  expect(library.calls).toEqual([]);
  library.open = () => Promise.reject(new Error("it can't be called"));
  await expect(session(library)).rejects.toThrow("it can't be called");
  await expect.poll(descriptors).toBeLessThanOrEqual(before);
});

/** Answers of a call, and what its caller gets. */
const error = { group: "user", code: "no", message: "no", metadata: nothing, retryable: false };
const answers: readonly (readonly [string, Partial<Answer>, string])[] = [
  [
    "an error beside a payload that can't be read",
    { error: { ...error, public: true, status: 400 }, payload: text("{") },
    "no",
  ],
  [
    "an error whose metadata can't be read",
    { error: { ...error, public: true, status: 400, metadata: text("{") } },
    "no",
  ],
  ["an error and a stream", { error: { ...error, public: true, status: 400 }, stream: true }, "no"],
  ["a payload that isn't JSON", { payload: text("{") }, "malformed"],
  ["a payload that isn't UTF-8", { payload: new Uint8Array([0xff]) }, "malformed"],
  ["no payload", {}, "malformed"],
];

test.each(answers)(
  "S5.5 a call that is answered with %s has an error, and the session goes on",
  async (_title, answer, code) => {
    const library = new Answering((greeted) => greeted.say(ready()), answer);
    const opened = await session(library);
    for (let again = 0; again < 2; again += 1)
      await expect(opened.invoke({ kind: KIND, name: "m", payload: {} })).rejects.toMatchObject({ code });
    expect(opened.open).toBe(true);
    expect(await opened.close()).toEqual({ clean: true });
    expect(library.closes).toBe(1);
  },
);
