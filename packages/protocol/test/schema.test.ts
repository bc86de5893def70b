import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  encodeBody,
  encodeClientFrame,
  encodeHello,
  encodeServerFrame,
  encodeStreamPart,
  encodeWelcome,
  limits,
  PROTOCOL_VERSIONS,
} from "@troupe/protocol";
import { describe, expect, test } from "vitest";
import {
  actionBodies,
  clientFrames,
  hellos,
  limitedOpenings,
  openings,
  retainedClientFrames,
  retainedServerFrames,
  sendBodies,
  sendFrames,
  serverFrames,
  streamClientFrames,
  streamServerFrames,
  wireError,
} from "./frames.ts";

const file = readFileSync(new URL("../schemas/client/v1/frames.schema.json", import.meta.url));
const released: Schema = JSON.parse(file.toString("utf8"));
/** What was added later has a file of its own. */
const added: Schema = JSON.parse(
  readFileSync(new URL("../schemas/client/v1/queues.schema.json", import.meta.url), "utf8"),
);
const schema: Schema = { ...released, $defs: { ...released.$defs, ...added.$defs } };
const retained: Schema = JSON.parse(
  readFileSync(new URL("../schemas/client/v1/retained.schema.json", import.meta.url), "utf8"),
);
const streams: Schema = JSON.parse(
  readFileSync(new URL("../schemas/client/v1/streams.schema.json", import.meta.url), "utf8"),
);

const limited: Schema = JSON.parse(
  readFileSync(new URL("../schemas/client/v1/opening.schema.json", import.meta.url), "utf8"),
);

test("what a welcome says of limits has the shape of its schema", () => {
  for (const welcome of limitedOpenings)
    expect(problems({ $ref: "#/$defs/welcome" }, JSON.parse(encodeWelcome(welcome)), "", limited)).toEqual(
      [],
    );
  const none = { ...limitedOpenings[0], maxIncomingBytes: 0 };
  expect(problems({ $ref: "#/$defs/welcome" }, none, "", limited)).not.toEqual([]);
});

test("the released schema is as it was released", () => {
  // Version 1 is a promise to programs that we can't change. What has to change goes into schemas/client/v2.
  expect(createHash("sha256").update(file).digest("hex")).toBe(
    "19e9b269dc7bfcdcf340af666095039c4c36f8bd7e8655bde5552fd68a619d59",
  );
});

test("what the codec writes of streams has the shape of their schema", () => {
  const messages: readonly (readonly [name: string, message: unknown])[] = [
    ...streamClientFrames.map((frame) => ["clientFrame", parsed(encodeClientFrame(frame, "json"))] as const),
    ...streamServerFrames.map((frame) => ["serverFrame", parsed(encodeServerFrame(frame, "json"))] as const),
    ...([{ kind: "item", item: 1 }, { kind: "end" }, { kind: "error", error: wireError }] as const).map(
      (part) => ["streamPart", JSON.parse(new TextDecoder().decode(encodeStreamPart(part, "json")))] as const,
    ),
  ];
  for (const [name, message] of messages)
    expect(problems({ $ref: `#/$defs/${name}` }, message, name, streams)).toEqual([]);
  expect(problems({ $ref: "#/$defs/credit" }, { kind: "credit", id: 1, items: 0 }, "", streams)).not.toEqual(
    [],
  );
});

test("what the codec writes of retained events has the shape of their schema", () => {
  const messages: readonly (readonly [name: string, message: unknown])[] = [
    ...retainedClientFrames.map(
      (frame) => ["clientFrame", parsed(encodeClientFrame(frame, "json"))] as const,
    ),
    ...retainedServerFrames.map(
      (frame) => ["serverFrame", parsed(encodeServerFrame(frame, "json"))] as const,
    ),
  ];
  for (const [name, message] of messages)
    expect(problems({ $ref: `#/$defs/${name}` }, message, name, retained)).toEqual([]);
  const wrong = { kind: "subscribe", id: 1, event: "e", resume: { after: -1 } };
  expect(problems({ $ref: "#/$defs/subscribe" }, wrong, "", retained)).not.toEqual([]);
});

describe("what the codec writes has the schema's shape", () => {
  const messages: readonly (readonly [definition: string, message: unknown])[] = [
    ...hellos.map((hello) => ["hello", JSON.parse(encodeHello(hello))] as const),
    ...openings.map((opening) => [opening.kind, JSON.parse(encodeWelcome(opening))] as const),
    ...clientFrames.map((frame) => ["clientFrame", parsed(encodeClientFrame(frame, "json"))] as const),
    ...serverFrames.map((frame) => ["serverFrame", parsed(encodeServerFrame(frame, "json"))] as const),
    ...actionBodies.map((body) => ["actionBody", parsed(encodeBody(body, "json"))] as const),
    ...sendFrames.map((frame) => ["send", parsed(encodeClientFrame(frame, "json"))] as const),
    ...sendBodies.map((body) => ["sendBody", parsed(encodeBody(body, "json"))] as const),
    ["sendOutcome", { status: "completed", response: 1 }],
    ["actionAnswer", parsed(encodeBody({ output: 1n }, "json"))],
    ["resolveBody", parsed(encodeBody({ input: 1 }, "json"))],
    ["resolveAnswer", parsed(encodeBody({ actorId: "a" }, "json"))],
    ["errorBody", parsed(encodeBody({ error: wireError }, "json"))],
  ];
  test.each(messages)("%s %j", (definition, message) => {
    expect(problems({ $ref: `#/$defs/${definition}` }, message, definition)).toEqual([]);
  });

  test("no message has a property that the schema doesn't name", () => {
    for (const [definition, message] of messages) {
      const names = Object.keys(message as object);
      const known = propertiesOf({ $ref: `#/$defs/${definition}` }, message);
      expect(known, definition).toEqual(expect.arrayContaining(names));
    }
  });

  test("the schema's numbers are the code's", () => {
    expect(definition("memberName").maxLength).toBe(limits.memberNameLength);
    expect(definition("idempotencyKey").maxLength).toBe(limits.idempotencyKeyLength);
    expect(definition("welcome").properties?.version?.const).toBe(PROTOCOL_VERSIONS[0]);
  });

  test("the check sees what is wrong", () => {
    const wrong: readonly [string, unknown][] = [
      ["action", { kind: "action", id: -1, name: "a", args: [] }],
      ["action", { kind: "action", id: 1, name: "", args: [] }],
      ["action", { kind: "action", id: 1, name: "a" }],
      ["clientFrame", { kind: "reply", id: 1 }],
      ["hello", { kind: "hello", versions: ["1"], encoding: "json" }],
    ];
    for (const [name, message] of wrong) {
      expect(problems({ $ref: `#/$defs/${name}` }, message, name)).not.toEqual([]);
    }
  });
});

function parsed(message: string | Uint8Array): unknown {
  if (typeof message !== "string") throw new Error("JSON is text");
  return JSON.parse(message);
}

/** The part of JSON Schema that the file uses. An unknown keyword fails, so that none is passed over. */
interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly description?: string;
  readonly type?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly oneOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
}

function definition(name: string, of = schema): Schema {
  const found = of.$defs?.[name];
  if (found === undefined) throw new Error(`the schema has no ${name}`);
  return found;
}

function resolved(part: Schema, of = schema): Schema {
  return part.$ref === undefined ? part : definition(part.$ref.replace("#/$defs/", ""), of);
}

function propertiesOf(part: Schema, message: unknown): readonly string[] {
  const { oneOf, properties } = resolved(part);
  if (oneOf === undefined) return Object.keys(properties ?? {});
  const fitting = oneOf.find((choice) => problems(choice, message, "").length === 0);
  return fitting === undefined ? [] : propertiesOf(fitting, message);
}

const checks: Readonly<Record<string, (part: Schema, value: unknown, at: string, of: Schema) => boolean>> = {
  description: () => true,
  properties: () => true,
  items: () => true,
  type: ({ type }, value) =>
    type === "array"
      ? Array.isArray(value)
      : type === "integer"
        ? Number.isInteger(value)
        : type === "object"
          ? typeof value === "object" && value !== null && !Array.isArray(value)
          : typeof value === type,
  const: (part, value) => part.const === value,
  enum: (part, value) => part.enum?.includes(value) ?? false,
  required: ({ required = [] }, value) => required.every((name) => Object.hasOwn(value as object, name)),
  maxItems: ({ maxItems = 0 }, value) => (value as readonly unknown[]).length <= maxItems,
  minimum: ({ minimum = 0 }, value) => (value as number) >= minimum,
  exclusiveMinimum: ({ exclusiveMinimum = 0 }, value) => (value as number) > exclusiveMinimum,
  maximum: ({ maximum = 0 }, value) => (value as number) <= maximum,
  minLength: ({ minLength = 0 }, value) => (value as string).length >= minLength,
  maxLength: ({ maxLength = 0 }, value) => (value as string).length <= maxLength,
  oneOf: ({ oneOf = [] }, value, _at, of) =>
    oneOf.filter((choice) => problems(choice, value, "", of).length === 0).length === 1,
};

function problems(part: Schema, value: unknown, at: string, of = schema): string[] {
  const shape = resolved(part, of);
  for (const keyword of Object.keys(shape)) {
    const check = checks[keyword];
    if (check === undefined) return [`unknown keyword ${keyword}`];
    if (!check(shape, value, at, of)) return [`${at}: ${keyword}`];
  }
  const inside: string[] = [];
  for (const [name, property] of Object.entries(shape.properties ?? {})) {
    if (!Object.hasOwn(value as object, name)) continue;
    inside.push(...problems(property, (value as Record<string, unknown>)[name], `${at}.${name}`, of));
  }
  if (shape.items !== undefined) {
    const { items } = shape;
    inside.push(
      ...(value as readonly unknown[]).flatMap((item, index) => problems(items, item, `${at}[${index}]`, of)),
    );
  }
  return inside;
}
