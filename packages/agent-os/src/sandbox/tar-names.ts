/**
 * Tar names: which paths and targets in a tar aren't UTF-8. Who unpacks one puts U+FFFD in the place of what it can't read, and two files may
 * become one; and a name may have that character by right. The bytes tell.
 */
import { isUtf8 } from "node:buffer";

const BLOCK = 512;
/** The places of a header's fields. */
const fields = { name: [0, 100], size: [124, 136], target: [157, 257], prefix: [345, 500] } as const;
const TYPE = 156;
/** Each says its own length; a path's part behind a line's end isn't looked at. */
const RECORDS = /(?:^|\n)\d+ (path|linkpath)=([^\n]*)/g;

/** The first that isn't UTF-8, as it may be shown. The tar is one that could be unpacked. */
export function nameNotUtf8(tar: Uint8Array): string | undefined {
  const bytes = Buffer.from(tar.buffer, tar.byteOffset, tar.byteLength);
  // What stands before an entry for it, in the place of its own fields: these are cut.
  let instead: { path?: Buffer; target?: Buffer } = {};
  for (let at = 0; at + BLOCK <= bytes.byteLength; ) {
    const header = bytes.subarray(at, at + BLOCK);
    const size = sizeOf(header);
    const data = bytes.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[TYPE] ?? 0);
    if (type === "L") instead.path = data;
    else if (type === "K") instead.target = data;
    else if (type === "x") instead = { ...instead, ...recordsOf(data) };
    else if (type !== "g") {
      const { path = fieldOf(header, "name"), target = fieldOf(header, "target") } = instead;
      const wrong = [path, target, fieldOf(header, "prefix")].find((name) => !isUtf8(name));
      if (wrong !== undefined) return wrong.toString();
      instead = {};
    }
  }
  return undefined;
}

function fieldOf(header: Buffer, name: keyof typeof fields): Buffer {
  const field = header.subarray(...fields[name]);
  const end = field.indexOf(0);
  return end === -1 ? field : field.subarray(0, end);
}

/** In octal; what is larger than that can say isn't taken anyway. */
function sizeOf(header: Buffer): number {
  const size = Number.parseInt(fieldOf(header, "size").toString("latin1").trim(), 8);
  return Number.isSafeInteger(size) ? size : 0;
}

function recordsOf(data: Buffer): { path?: Buffer; target?: Buffer } {
  const found: { path?: Buffer; target?: Buffer } = {};
  for (const [, key, value = ""] of data.toString("latin1").matchAll(RECORDS))
    found[key === "path" ? "path" : "target"] = Buffer.from(value, "latin1");
  return found;
}
