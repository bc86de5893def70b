/**
 * Frames of a runtime socket: four bytes of length, the highest first, and one value in CBOR. The first message of each side never
 * changes, in no version.
 *
 *   process                                              actor
 *     { kind: "hello", versions: [1], token }      ──▶
 *                                                  ◀──   { kind: "welcome", version, actorId, name, key }
 *     { kind: "request", id, do: "sql.query", … }  ──▶
 *                                                  ◀──   { kind: "answer", id, value } or { kind: "answer", id, error }
 *                                                  ◀──   { kind: "refused", error }, and the end
 */
import { decodeCbor, encodeCbor, engineLimits } from "@troupe/protocol";
import { runtimeSocketErrors } from "./errors.ts";

/** The versions that this program speaks. */
export const RUNTIME_SOCKET_VERSIONS: readonly number[] = [1];

/** The variable that says to a child process where its actor is. */
export const RUNTIME_SOCKET_PATH = "TROUPE_RUNTIME_SOCKET";
/** The variable with what it shows there. */
export const RUNTIME_SOCKET_TOKEN = "TROUPE_RUNTIME_TOKEN";

/** A message, whose fields aren't checked yet. */
export type Fields = Readonly<Record<string, unknown>>;

const HEAD = 4;

/** A message as a frame. Throws `runtime_socket.too_long`, `value.*`. */
export function encodeFrame(message: Fields): Uint8Array {
  const body = encodeCbor(message, "message");
  if (body.byteLength > engineLimits.runtimeSocketFrameBytes)
    throw runtimeSocketErrors.tooLong(body.byteLength, engineLimits.runtimeSocketFrameBytes);
  const frame = new Uint8Array(HEAD + body.byteLength);
  new DataView(frame.buffer).setUint32(0, body.byteLength);
  frame.set(body, HEAD);
  return frame;
}

/** Takes frames out of what a socket brings. */
export class FrameReader {
  #chunks: Uint8Array[] = [];
  #bytes = 0;

  /** The messages that are whole now. Throws `runtime_socket.too_long`, `runtime_socket.malformed`. */
  *read(chunk: Uint8Array): Generator<Fields> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.byteLength;
    for (let need = this.#need(); this.#bytes >= need; need = this.#need()) {
      const frame = this.#take(need);
      yield messageOf(frame.subarray(HEAD));
    }
  }

  /** Bytes of the frame that comes next. */
  #need(): number {
    if (this.#bytes < HEAD) return HEAD;
    const head = this.#peek(HEAD);
    const length = new DataView(head.buffer, head.byteOffset).getUint32(0);
    if (length > engineLimits.runtimeSocketFrameBytes)
      throw runtimeSocketErrors.tooLong(length, engineLimits.runtimeSocketFrameBytes);
    return HEAD + length;
  }

  #peek(bytes: number): Uint8Array {
    const [first] = this.#chunks;
    if (first !== undefined && first.byteLength >= bytes) return first;
    const joined = join(this.#chunks, this.#bytes);
    this.#chunks = [joined];
    return joined;
  }

  #take(bytes: number): Uint8Array {
    const first = this.#peek(bytes);
    this.#bytes -= bytes;
    this.#chunks[0] = first.subarray(bytes);
    return first.subarray(0, bytes);
  }
}

function join(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const joined = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.byteLength;
  }
  return joined;
}

function messageOf(body: Uint8Array): Fields {
  let value: unknown;
  try {
    value = decodeCbor(Uint8Array.from(body));
  } catch (cause) {
    throw runtimeSocketErrors.malformed(cause instanceof Error ? cause.message : String(cause));
  }
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return { ...value };
  throw runtimeSocketErrors.malformed("it is no object");
}
