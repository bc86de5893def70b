/** Modules of WebAssembly, byte by byte: what no compiler would make. */

type Bytes = readonly number[];

/** An import: what it is called, and its description (kind, then type). */
export type Import = readonly [module: string, name: string, description: Bytes];

/** What differs from a plugin that takes everything in and says nothing. */
export interface Parts {
  readonly imports?: readonly Import[];
  /** Types behind those of the functions. */
  readonly types?: readonly Bytes[];
  /** Limits. Default: one of 8 pages, which may have 16. */
  readonly memories?: readonly Bytes[];
  readonly tables?: readonly Bytes[];
  /** The functions' code, without its end. */
  readonly code?: Partial<Record<keyof typeof functions | "start", Bytes>>;
  /** Exports by name: kind and index. */
  readonly exports?: Readonly<Record<string, readonly [kind: number, index: number] | undefined>>;
}

export const I32 = 0x7f;
export const I64 = 0x7e;
export const op = {
  unreachable: [0x00],
  /** A loop without an end, then a number that nobody gets. */
  forever: [0x03, 0x40, 0x0c, 0x00, 0x0b, 0x41, 0x00],
  i32: (value: number): Bytes => [0x41, ...signed(value)],
  i64: (value: bigint): Bytes => [0x42, ...signed64(value)],
  local: (index: number): Bytes => [0x20, index],
  call: (index: number): Bytes => [0x10, index],
  drop: [0x1a],
  /** Of the address and the value in front of it. */
  store: [0x36, 0x02, 0x00],
  load: [0x28, 0x02, 0x00],
  grow: [0x40, 0x00],
  fill: [0xfc, 0x0b, 0x00],
  callIndirect: (type: number): Bytes => [0x11, type, 0x00],
} as const;

/** Name, type, and what it does when nobody says otherwise. */
const functions = {
  troupe_plugin_abi: { type: [[], [I32]], code: op.i32(0x0001_0000) },
  // The room that was asked for begins where the last one ended.
  troupe_plugin_alloc: {
    type: [[I32], [I32]],
    code: [0x23, 0x00, 0x23, 0x00, ...op.local(0), 0x6a, 0x24, 0x00],
  },
  troupe_plugin_free: { type: [[I32, I32], []], code: [] },
  troupe_plugin_open: { type: [[I32, I32, I32, I32], [I32]], code: op.i32(0) },
  troupe_plugin_push: { type: [[I32, I32, I32], [I32]], code: op.i32(0) },
  troupe_plugin_pull: { type: [[I32, I32, I32], [I64]], code: op.i64(0n) },
  troupe_plugin_close: { type: [[I32, I32], [I32]], code: op.i32(0) },
  start: { type: [[], []], code: [] },
} as const satisfies Record<string, { readonly type: readonly [Bytes, Bytes]; readonly code: Bytes }>;

const names = Object.keys(functions) as (keyof typeof functions)[];

/** A module, with `functions` from index `imports` on, in their order. */
export function assemble(parts: Parts = {}): Uint8Array {
  const { imports = [], types = [], memories = [[1, 8, 16]], tables = [], code = {} } = parts;
  const first = imports.filter(([, , [kind]]) => kind === 0).length;
  const own = names
    .map((name, index) => [name, [0, first + index]] as const)
    .filter(([name]) => name !== "start");
  const exported = { memory: [2, 0] as const, ...Object.fromEntries(own), ...parts.exports };
  const section = (id: number, entries: readonly Bytes[]): Bytes => {
    const body = [...unsigned(entries.length), ...entries.flat()];
    return entries.length === 0 ? [] : [id, ...unsigned(body.length), ...body];
  };
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [
      ...names.map((name) => [0x60, ...functions[name].type.flatMap((values) => [values.length, ...values])]),
      ...types,
    ]),
    ...section(
      2,
      imports.map(([module, name, description]) => [...text(module), ...text(name), ...description]),
    ),
    ...section(
      3,
      names.map((_, index) => [index]),
    ),
    ...section(4, tables),
    ...section(5, memories),
    ...section(6, [[I32, 1, ...op.i32(1_024), 0x0b]]),
    ...section(
      7,
      Object.entries(exported).flatMap(([name, as]) => (as === undefined ? [] : [[...text(name), ...as]])),
    ),
    ...[8, ...unsigned(unsigned(first + names.length - 1).length), ...unsigned(first + names.length - 1)],
    ...section(
      10,
      names.map((name) => {
        const body = [0, ...(code[name] ?? functions[name].code), 0x0b];
        return [...unsigned(body.length), ...body];
      }),
    ),
  ]);
}

function text(string: string): Bytes {
  const bytes = new TextEncoder().encode(string);
  return [...unsigned(bytes.length), ...bytes];
}

export function unsigned(value: number): Bytes {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(Math.floor(value / 128))];
}

function signed(value: number): Bytes {
  return signed64(BigInt(value | 0));
}

function signed64(value: bigint): Bytes {
  const low = Number(value & 0x7fn);
  const rest = value >> 7n;
  const last = (rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40);
  return last ? [low] : [low | 0x80, ...signed64(rest)];
}
