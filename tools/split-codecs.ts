/**
 * Behind `buf generate`: makes functions of each message's codec. `writeX` and `readX` call those of other messages by name,
 * and work on `packages/protocol/src/wire/`; `encodeX` takes a message and gives bytes, `decodeX` the other way round.
 *
 * The generator's own objects hold both ways together, and a bundle that only reads a message would carry what writes it as
 * well, for each of fifty messages; from functions a bundler takes what is called.
 *
 * No message of ours holds itself, so a stranger's bytes nest no deeper than the schemas do, and nothing counts that.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const codec =
  /^export const (\w+): MessageFns<\1> = \{\n {2}encode\(([\s\S]*?)\n {2}\},\n\n {2}decode\(([\s\S]*?)\n {2}\},\n\};$/gm;

const IMPORTS = `import { ProtoReader } from "../../../wire/proto-reader.ts";
import { begin, type ProtoWriter } from "../../../wire/proto-writer.ts";`;

/** What a message has where no bytes came: to make them anew costs as much as to read the rest of a short one. */
const NEW_BYTES = "new Uint8Array(0)";

const CODEC = `interface Codec<T> {
  readonly encode: (message: T) => Uint8Array<ArrayBuffer>;
  readonly decode: (bytes: Uint8Array) => T;
}`;

/** What the generator calls them, and what they are called here. */
const WAYS: Readonly<Record<string, string>> = { encode: "write", decode: "read" };

/** The source of a generated file, with its codecs split. Throws when a message holds itself. */
export function splitCodecs(source: string): string {
  const split = source.replace(codec, (_, name: string, encode: string, decode: string) =>
    [
      `export function write${name}(${written(outdented(encode))}\n}`,
      `export function read${name}(${read(outdented(decode))}\n}`,
      `export function encode${name}(message: ${name}): Uint8Array<ArrayBuffer> {
  return write${name}(message, begin()).finish();
}`,
      `/** Throws a RangeError for what isn't one. */
export function decode${name}(bytes: Uint8Array): ${name} {
  return read${name}(new ProtoReader(bytes));
}`,
      `export const ${name}: Codec<${name}> = { encode: encode${name}, decode: decode${name} };`,
    ].join("\n\n"),
  );
  const bytes = split.includes(NEW_BYTES) ? "NO_BYTES, " : "";
  const called = split
    .replace(/\b([A-Z]\w*)\.(encode|decode)\(/g, (_, name: string, way: string) => `${WAYS[way]}${name}(`)
    .replace(
      /^import \{ BinaryReader, BinaryWriter \}.*$/m,
      IMPORTS.replace("ProtoReader", `${bytes}ProtoReader`),
    )
    .replace(/^interface MessageFns<T> \{[\s\S]*?^\}$/m, CODEC)
    .replace(/^function longToNumber[\s\S]*?^\}\n\n/m, "")
    .replaceAll(NEW_BYTES, "NO_BYTES")
    .replace(/longToNumber\((reader\.uint64\(\)(?: as Long)?)\)/g, "$1");
  refuseCycles(called);
  // Names of another file: its functions are imported beside its types.
  return called.replace(
    /^import \{ (.*) \} from "(\.\.\/\.\.\/\w+\/v.*)";$/gm,
    (_, names: string, from: string) => {
      const functions = names.split(", ").flatMap((name) => functionsOf(name, called));
      return `import { ${[...names.split(", "), ...functions].join(", ")} } from "${from}";`;
    },
  );
}

function written(encode: string): string {
  return encode
    .replace("writer: BinaryWriter = new BinaryWriter()", "writer: ProtoWriter")
    .replace("): BinaryWriter {", "): ProtoWriter {");
}

/** Without the count of how deep it is. */
function read(decode: string): string {
  const [head = "", rest = ""] = decode.split(/\n {2}const reader = [\s\S]*?\n {2}try \{/);
  const [body = ""] = rest.split(/\n {2}\} finally \{/);
  return head.replace("input: BinaryReader | Uint8Array", "reader: ProtoReader") + outdented(body);
}

/** Messages of other files don't hold those of this one: imports have no cycle. */
function refuseCycles(source: string): void {
  const held = new Map<string, string[]>();
  for (const [, name = "", body = ""] of source.matchAll(/^export function read(\w+)\(([\s\S]*?)^\}$/gm))
    held.set(
      name,
      [...body.matchAll(/\bread([A-Z]\w*)\(/g)].map(([, inner = ""]) => inner),
    );
  const visit = (name: string, above: readonly string[]): void => {
    if (above.includes(name)) throw new RangeError(`${name} holds itself: ${above.join(", ")}`);
    for (const inner of held.get(name) ?? []) visit(inner, [...above, name]);
  };
  for (const name of held.keys()) visit(name, []);
}

/** `Log as Log1` has `writeLog as writeLog1`. */
function functionsOf(imported: string, source: string): string[] {
  const [name, local = name] = imported.split(" as ");
  return Object.values(WAYS)
    .filter((way) => source.includes(`${way}${local}(`))
    .map((way) => (local === name ? `${way}${name}` : `${way}${name} as ${way}${local}`));
}

function outdented(lines: string): string {
  return lines.replaceAll("\n  ", "\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = fileURLToPath(new URL("../packages/protocol/src/generated/", import.meta.url));
  for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".ts")) continue;
    const path = join(folder, file);
    writeFileSync(path, splitCodecs(readFileSync(path, "utf8")));
  }
}
