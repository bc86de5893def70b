/**
 * Tar names: which paths and targets in a tar aren't UTF-8. Who unpacks one puts U+FFFD in the place of what it can't read, and two files may
 * become one; and a name may have that character by right. The bytes tell.
 */
import { isUtf8 } from "node:buffer";
import { partsOf } from "./tar-headers.ts";

/** Each says its own length; a path's part behind a line's end isn't looked at. */
const RECORDS = /(?:^|\n)\d+ (path|linkpath)=([^\n]*)/g;

/** The first that isn't UTF-8, as it may be shown. The tar is one that could be unpacked. */
export function nameNotUtf8(tar: Uint8Array): string | undefined {
  // What stands before an entry for it, in the place of its own fields: these are cut.
  let instead: { path?: Buffer; target?: Buffer } = {};
  for (const { type, data, field } of partsOf(tar)) {
    if (type === "L") instead.path = data;
    else if (type === "K") instead.target = data;
    else if (type === "x") instead = { ...instead, ...recordsOf(data) };
    else if (type !== "g") {
      const { path = field("name"), target = field("target") } = instead;
      const wrong = [path, target, field("prefix")].find((name) => !isUtf8(name));
      if (wrong !== undefined) return wrong.toString();
      instead = {};
    }
  }
  return undefined;
}

function recordsOf(data: Buffer): { path?: Buffer; target?: Buffer } {
  const found: { path?: Buffer; target?: Buffer } = {};
  for (const [, key, value = ""] of data.toString("latin1").matchAll(RECORDS))
    found[key === "path" ? "path" : "target"] = Buffer.from(value, "latin1");
  return found;
}
