/**
 * Binary views: the typed arrays and DataView.
 *
 * On the wire a view is its bytes, little endian, with the name (JSON) or the tag of RFC 8746 (CBOR) of its type. All
 * engines that we run on are little endian; bytes are taken as they are in memory.
 */

/** One type of view. */
export interface ViewType {
  readonly name: string;
  /** The CBOR tag; undefined for Uint8Array, which is a plain byte string. */
  readonly tag: number | undefined;
  readonly elementBytes: number;
  /** A view of the whole buffer, whose length is a multiple of `elementBytes`. */
  readonly make: (buffer: ArrayBuffer) => ArrayBufferView;
}

type HalfArray = new (buffer: ArrayBuffer) => ArrayBufferView;

/** Float16Array is not in every engine yet; where it is missing its tag is refused as an unknown one. */
const half = (globalThis as { readonly Float16Array?: HalfArray }).Float16Array;

/** Ours, because RFC 8746 has no DataView. See `tags.ts`. */
const DATA_VIEW_TAG = 54_602;

const TYPES: readonly ViewType[] = [
  { name: "Uint8Array", tag: undefined, elementBytes: 1, make: (buffer) => new Uint8Array(buffer) },
  { name: "Uint8ClampedArray", tag: 68, elementBytes: 1, make: (buffer) => new Uint8ClampedArray(buffer) },
  { name: "Uint16Array", tag: 69, elementBytes: 2, make: (buffer) => new Uint16Array(buffer) },
  { name: "Uint32Array", tag: 70, elementBytes: 4, make: (buffer) => new Uint32Array(buffer) },
  { name: "BigUint64Array", tag: 71, elementBytes: 8, make: (buffer) => new BigUint64Array(buffer) },
  { name: "Int8Array", tag: 72, elementBytes: 1, make: (buffer) => new Int8Array(buffer) },
  { name: "Int16Array", tag: 77, elementBytes: 2, make: (buffer) => new Int16Array(buffer) },
  { name: "Int32Array", tag: 78, elementBytes: 4, make: (buffer) => new Int32Array(buffer) },
  { name: "BigInt64Array", tag: 79, elementBytes: 8, make: (buffer) => new BigInt64Array(buffer) },
  { name: "Float32Array", tag: 85, elementBytes: 4, make: (buffer) => new Float32Array(buffer) },
  { name: "Float64Array", tag: 86, elementBytes: 8, make: (buffer) => new Float64Array(buffer) },
  { name: "DataView", tag: DATA_VIEW_TAG, elementBytes: 1, make: (buffer) => new DataView(buffer) },
  ...(half === undefined
    ? []
    : [{ name: "Float16Array", tag: 84, elementBytes: 2, make: (buffer: ArrayBuffer) => new half(buffer) }]),
];

const byName = new Map(TYPES.map((type) => [type.name, type]));
const byTag = new Map(TYPES.map((type) => [type.tag, type]));

/** The type of a view; undefined for one that this model doesn't know. */
export function viewType(view: ArrayBufferView): ViewType | undefined {
  // The inherited getter answers for subclasses too: a Buffer says Uint8Array.
  const name = (view as { readonly [Symbol.toStringTag]?: string })[Symbol.toStringTag];
  return name === undefined ? undefined : byName.get(name);
}

/** The type called `name`. */
export function viewTypeByName(name: string): ViewType | undefined {
  return byName.get(name);
}

/** The type under a CBOR tag. */
export function viewTypeByTag(tag: number): ViewType | undefined {
  return byTag.get(tag);
}

/** The part of memory that a view shows, not copied. Throws when its buffer was detached. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** A buffer of its own with the same bytes. */
export function ownBuffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
