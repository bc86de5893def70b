/**
 * Behind `buf generate`: makes two functions of each message's codec, `encodeX` and `decodeX`, that call those of other
 * messages by name. The generator's own objects hold both ways together, and a bundle that only reads a message would carry
 * what writes it as well, for each of fifty messages; from functions a bundler takes what is called.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const codec =
  /^export const (\w+): MessageFns<\1> = \{\n {2}encode\(([\s\S]*?)\n {2}\},\n\n {2}decode\(([\s\S]*?)\n {2}\},\n\};$/gm;

/** The source of a generated file, with its codecs split. */
export function splitCodecs(source: string): string {
  const split = source.replace(codec, (_, name: string, encode: string, decode: string) =>
    [
      `export function encode${name}(${outdented(encode)}\n}`,
      `export function decode${name}(${outdented(decode)}\n}`,
      `export const ${name}: MessageFns<${name}> = { encode: encode${name}, decode: decode${name} };`,
    ].join("\n\n"),
  );
  const called = split.replace(
    /\b([A-Z]\w*)\.(encode|decode)\(/g,
    (_, name: string, way: string) => `${way}${name}(`,
  );
  // Names of another file: its functions are imported beside its types.
  return called.replace(/^import \{ (.*) \} from "(\.\..*)";$/gm, (_, names: string, from: string) => {
    const functions = names.split(", ").flatMap((name) => functionsOf(name, called));
    return `import { ${[...names.split(", "), ...functions].join(", ")} } from "${from}";`;
  });
}

/** `Log as Log1` has `encodeLog as encodeLog1`. */
function functionsOf(imported: string, source: string): string[] {
  const [name, local = name] = imported.split(" as ");
  return ["encode", "decode"]
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
