/**
 * The body of an answer, in pieces that can be sent.
 */
import { limits } from "@troupe/protocol";
import { requestErrors } from "../../errors.ts";

/** What is used of a Response. Not `instanceof`: it may be of a polyfill or a package. */
export interface AnyResponse {
  readonly status: number;
  readonly headers: Iterable<readonly [string, string]>;
  readonly body: ReadableBody | null;
  readonly bodyUsed: boolean;
}

/** What is used of a ReadableStream. */
export interface ReadableBody {
  readonly locked: boolean;
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
    cancel(reason?: unknown): Promise<void>;
  };
}

/** True for what can be sent as an answer. */
export function isResponse(value: unknown): value is AnyResponse {
  if (typeof value !== "object" || value === null || !("headers" in value) || !("body" in value))
    return false;
  return "status" in value && typeof value.status === "number" && "bodyUsed" in value;
}

/** Reads a body. Each piece is a copy, and at most `bodyChunkBytes` long. */
export class AnswerBody implements AsyncIterator<Uint8Array> {
  readonly #reader: ReturnType<ReadableBody["getReader"]> | undefined;
  #rest: Uint8Array | undefined;

  /** Throws `request.bad_response` for a body that somebody else reads or has read. */
  constructor(body: ReadableBody | null) {
    if (body?.locked === true) throw requestErrors.badResponse("its body is being read already");
    this.#reader = body?.getReader();
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    while (this.#rest === undefined || this.#rest.byteLength === 0) {
      const { done, value } = (await this.#reader?.read()) ?? { done: true };
      if (done) return { done: true, value: undefined };
      if (!(value instanceof Uint8Array))
        throw requestErrors.bodyFailed(new TypeError("a body is a stream of Uint8Arrays"));
      this.#rest = value.slice();
    }
    const piece = this.#rest.subarray(0, limits.bodyChunkBytes);
    this.#rest = this.#rest.subarray(piece.byteLength);
    return { done: false, value: piece };
  }

  /** Nobody reads on. */
  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#reader?.cancel();
    return { done: true, value: undefined };
  }
}
