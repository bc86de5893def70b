/** Tar headers: what a tar's own bytes say that who unpacks one doesn't tell. */

const BLOCK = 512;
/** The places of a header's fields. */
const fields = { name: [0, 100], size: [124, 136], target: [157, 257], prefix: [345, 500] } as const;
const TYPE = 156;

/** A header, and what it is of. */
export interface TarPart {
  /** "0" or "\0": a file. */
  readonly type: string;
  readonly data: Buffer;
  field(name: keyof typeof fields): Buffer;
}

/** All of a tar that could be unpacked, one after the other, with those that stand before an entry for it. */
export function* partsOf(tar: Uint8Array): Generator<TarPart> {
  const bytes = Buffer.from(tar.buffer, tar.byteOffset, tar.byteLength);
  for (let at = 0; at + BLOCK <= bytes.byteLength; ) {
    const header = bytes.subarray(at, at + BLOCK);
    // The end: what is behind it isn't looked at.
    if (header[0] === 0 && header.every((byte) => byte === 0)) return;
    const size = sizeOf(header);
    const data = bytes.subarray(at + BLOCK, at + BLOCK + size);
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
    const type = String.fromCharCode(header[TYPE] ?? 0);
    yield { type, data, field: (name) => fieldOf(header, name) };
  }
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
