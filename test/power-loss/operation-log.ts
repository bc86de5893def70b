/**
 * Reads the log that shim.c writes. The records here and `enum record` there are one list.
 *
 * The process was killed while it wrote: the last record may be incomplete, and is then left out.
 */
export type Operation =
  | { readonly type: "start" }
  | { readonly type: "create" | "mkdir"; readonly path: string; readonly inode: number }
  | { readonly type: "write"; readonly inode: number; readonly offset: number; readonly data: Buffer }
  | { readonly type: "truncate"; readonly inode: number; readonly size: number }
  | { readonly type: "syncBegin"; readonly inode: number; readonly token: number }
  | { readonly type: "syncEnd"; readonly inode: number; readonly token: number; readonly ok: boolean }
  | { readonly type: "unlink"; readonly path: string }
  | { readonly type: "rename" | "link"; readonly from: string; readonly to: string }
  | { readonly type: "map"; readonly inode: number }
  | { readonly type: "unmodelled"; readonly what: string };

const MAGIC = 0x54524f50;
const HEADER = 40;

interface Record {
  readonly type: number;
  readonly inode: number;
  readonly a: number;
  readonly b: number;
  readonly data: Buffer;
}

export function* readOperations(log: Buffer): Generator<Operation> {
  let at = 0;
  while (at + HEADER <= log.length) {
    if (log.readUInt32LE(at) !== MAGIC) throw new Error(`The shim's log is damaged at byte ${at}`);
    const length = log.readUInt32LE(at + 32);
    const end = at + HEADER + length;
    if (end > log.length) return;
    yield decode({
      type: log.readUInt32LE(at + 4),
      inode: Number(log.readBigUInt64LE(at + 8)),
      a: Number(log.readBigUInt64LE(at + 16)),
      b: Number(log.readBigUInt64LE(at + 24)),
      data: log.subarray(at + HEADER, end),
    });
    at = end;
  }
}

function decode({ type, inode, a, b, data }: Record): Operation {
  switch (type) {
    case 1:
      return { type: "start" };
    case 2:
      return { type: "create", path: data.toString(), inode };
    case 3:
      return { type: "write", inode, offset: a, data };
    case 4:
      return { type: "truncate", inode, size: a };
    case 5:
      return { type: "syncBegin", inode, token: a };
    case 6:
      return { type: "syncEnd", inode, token: a, ok: b === 1 };
    case 7:
      return { type: "mkdir", path: data.toString(), inode };
    case 8:
      return { type: "unlink", path: data.toString() };
    case 9:
      return { type: "rename", ...pair(data) };
    case 10:
      return { type: "link", ...pair(data) };
    case 11:
      return { type: "map", inode };
    case 12:
      return { type: "unmodelled", what: data.toString() };
    default:
      throw new Error(`The shim's log holds a record of unknown type ${type}`);
  }
}

function pair(data: Buffer): { from: string; to: string } {
  const [from = "", to = ""] = data.toString().split("\0");
  return { from, to };
}
