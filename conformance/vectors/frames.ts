/**
 * A frame of each kind that plugin/v1, host/v1 and actor/v1 know, and of the batches that travel to a worker, made of the schemas: all
 * fields set, each to something that says which one it is. Kinds are told apart by what is one of several, down to the last:
 * `HostFrame.actor.answer`, `EngineToHost.actor.start`, `PluginFrame.actor.ask.kvGet`.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";

/** A frame, as the golden file has it. */
export interface GoldenFrame {
  readonly name: string;
  /**
   * What is in it, for languages that have no JSON: fields by number, `1=301` a number, `2=x6162` bytes or a text, `3{ … }` a
   * message.
   */
  readonly fields: string;
  /** The same as protobuf, in hexadecimal. */
  readonly bytes: string;
}

interface Field {
  readonly name: string;
  readonly jsonName: string;
  readonly number: number;
  readonly label: string;
  readonly type: string;
  readonly typeName?: string;
  readonly oneofIndex?: number;
  readonly proto3Optional?: boolean;
}

interface Message {
  readonly name: string;
  readonly field?: readonly Field[];
}

type Schema = ReadonlyMap<string, Message>;

/** Part of a frame: its kind behind that of the message around it, and its fields. */
interface Part {
  readonly kind: readonly string[];
  readonly fields: readonly string[];
  readonly bytes: readonly number[];
}

/** What a host and a plugin say, what an engine and a remote host say, and what carries frames to a worker and back. */
const FRAMES = ["plugin.v1.HostFrame", "plugin.v1.PluginFrame"];
const OTHERS = [
  "host.v1.EngineToHost",
  "host.v1.HostToEngine",
  "plugin.v1.HostBatch",
  "plugin.v1.PluginBatch",
];

/** One of each kind, as the schemas are today. */
export function framesOfSchemas(): readonly GoldenFrame[] {
  const schema = readSchema();
  return [...FRAMES, ...OTHERS].flatMap((frame) =>
    partsOf(schema, `.troupe.${frame}`).map(({ kind, fields, bytes }) => ({
      name: [frame.slice(frame.lastIndexOf(".") + 1), ...kind].join("."),
      fields: fields.join(" "),
      bytes: Buffer.from(bytes).toString("hex"),
    })),
  );
}

function readSchema(): Schema {
  const cwd = join(import.meta.dirname, "../../packages/protocol");
  const text = execFileSync("buf", ["build", "-o", "-#format=json"], { cwd, maxBuffer: 64 * 1024 * 1024 });
  const { file }: { file: readonly { package: string; messageType?: readonly Message[] }[] } = JSON.parse(
    text.toString(),
  );
  return new Map(
    file.flatMap((one) =>
      (one.messageType ?? []).map((message) => [`.${one.package}.${message.name}`, message] as const),
    ),
  );
}

/** A message with all its fields, once for each of those of which it has one. */
function partsOf(schema: Schema, type: string): readonly Part[] {
  // In the schema's order, as the codecs of TypeScript write them.
  const fields = schema.get(type)?.field ?? [];
  const choices = fields.filter(isChoice);
  const always = fields.filter((field) => !isChoice(field));
  if (choices.length === 0) return [whole(schema, always, undefined)];
  return choices.flatMap((choice) => {
    const within = choice.type === "TYPE_MESSAGE" ? partsOf(schema, choice.typeName ?? "") : [undefined];
    return within.map((part) =>
      whole(
        schema,
        fields.filter((field) => always.includes(field) || field === choice),
        {
          choice,
          part,
        },
      ),
    );
  });
}

function isChoice(field: Field): boolean {
  return field.oneofIndex !== undefined && field.proto3Optional !== true;
}

function whole(
  schema: Schema,
  fields: readonly Field[],
  chosen: { readonly choice: Field; readonly part: Part | undefined } | undefined,
): Part {
  const written = fields.flatMap((field) =>
    field === chosen?.choice && chosen.part !== undefined
      ? [message(field.number, chosen.part)]
      : field.label === "LABEL_REPEATED"
        ? repeated(schema, field)
        : [single(schema, field)],
  );
  return {
    kind: chosen === undefined ? [] : [chosen.choice.jsonName, ...(chosen.part?.kind ?? [])],
    fields: written.flatMap((one) => one.fields),
    bytes: written.flatMap((one) => one.bytes),
  };
}

type Written = Omit<Part, "kind">;

/** Twice; numbers are packed. */
function repeated(schema: Schema, field: Field): readonly Written[] {
  if (field.type === "TYPE_MESSAGE" || field.type === "TYPE_STRING" || field.type === "TYPE_BYTES")
    return [single(schema, field), single(schema, field)];
  return [blob(field.number, [...varint(numberOf(field)), ...varint(1n)])];
}

function single(schema: Schema, field: Field): Written {
  if (field.type === "TYPE_STRING")
    return blob(field.number, [...new TextEncoder().encode(`${field.name} ż`)]);
  if (field.type === "TYPE_BYTES") return blob(field.number, [0, field.number, 255]);
  if (field.type === "TYPE_MESSAGE") {
    const [part] = partsOf(schema, field.typeName ?? "");
    if (part === undefined) throw new Error(`nothing is known of ${field.typeName}`);
    return message(field.number, part);
  }
  const value = numberOf(field);
  return { fields: [`${field.number}=${value}`], bytes: [...tag(field.number, 0), ...varint(value)] };
}

/** As it is written: another one for each field. */
function numberOf({ type, number }: Field): bigint {
  switch (type) {
    case "TYPE_BOOL":
    case "TYPE_ENUM":
      return 1n;
    case "TYPE_UINT32":
      return 300n + BigInt(number);
    case "TYPE_UINT64":
      return 2n ** 40n + BigInt(number);
    case "TYPE_SINT32":
      return 2n * BigInt(number) - 1n;
    default:
      throw new Error(
        `no field of plugin/v1, host/v1 or actor/v1 had the type ${type} yet: say here what one is`,
      );
  }
}

function message(number: number, { fields, bytes }: Written): Written {
  return {
    fields: [`${number}{`, ...fields, "}"],
    bytes: [...tag(number, 2), ...varint(BigInt(bytes.length)), ...bytes],
  };
}

function blob(number: number, bytes: readonly number[]): Written {
  return {
    fields: [`${number}=x${Buffer.from(bytes).toString("hex")}`],
    bytes: [...tag(number, 2), ...varint(BigInt(bytes.length)), ...bytes],
  };
}

function tag(number: number, kind: number): readonly number[] {
  return varint(BigInt(number * 8 + kind));
}

function varint(value: bigint): readonly number[] {
  return value < 128n ? [Number(value)] : [Number(value & 127n) | 128, ...varint(value >> 7n)];
}
