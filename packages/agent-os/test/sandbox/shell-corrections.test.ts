/** What is changed of just-bash's text, and text that has bytes in it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { bytesOfCharacters, decode, encode, readable } from "../../src/sandbox/embedded/byte-text.ts";
import { corrected, shellCorrections } from "../../src/sandbox/embedded/shell-corrections.ts";

const bundle = new URL(".", import.meta.resolve("just-bash"));
const read = (file: string) => readFileSync(fileURLToPath(new URL(file, bundle)), "utf8");

test("every correction finds its place in the just-bash that is installed, once, and no other version is taken", () => {
  for (const { file, has, gets, why } of shellCorrections) {
    expect(read(file).split(has).length - 1, `${file}: ${why}`).toBe(1);
    expect(corrected(file, read(file)), why).toContain(gets);
  }
  expect(corrected("chunks/other.js", "text")).toBeUndefined();
  expect(() => corrected("index.js", "another text")).toThrow("just-bash has another text than 3.4.2");
});

test("every byte goes through text and back, and what is UTF-8 is its text", () => {
  const all = Uint8Array.from({ length: 65_536 * 2 }, (_, at) => (at % 2 === 0 ? at >> 9 : (at >> 1) & 0xff));
  expect(Buffer.compare(encode(decode(all)), all)).toBe(0);
  // The edges of what UTF-8 allows, each byte of the others by itself.
  const edges = [
    "c0 80", "c2 7f", "c2 80", "df bf", "e0 9f bf", "e0 a0 80", "ed 9f bf", "ed a0 80", "ee 80 80", "ef bf bf", "f0 8f bf bf",
    "f0 90 80 80", "f4 8f bf bf", "f4 90 80 80", "f5 80 80 80", "e2 82", "f0 9f 98", "ef bb bf",
  ]; // biome-ignore format: pairs
  for (const edge of edges) {
    const bytes = Buffer.from(edge.replaceAll(" ", ""), "hex");
    const isText = Buffer.compare(Buffer.from(bytes.toString()), bytes) === 0;
    const text = decode(Buffer.concat([bytes, Buffer.from([0xff])]));
    expect(text, edge).toBe(
      isText
        ? `${bytes.toString()}\udcff`
        : [...bytes, 0xff]
            .map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : String.fromCharCode(0xdc00 + byte)))
            .join(""),
    );
    expect(Buffer.from(encode(text)).toString("hex"), edge).toBe(`${bytes.toString("hex")}ff`);
  }
  expect(readable(decode(Uint8Array.of(0x61, 0xff)))).toBe("a\ufffd");
  expect(bytesOfCharacters(Buffer.from("aé日").toString("latin1"), 2)).toBe(3);
});
