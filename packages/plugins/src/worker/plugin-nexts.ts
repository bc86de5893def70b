/**
 * What a plugin's middleware asks of the rest of the calls that it goes around: `next`, at the plugin's end.
 */
import {
  decodePayload,
  encodePayload,
  fromCarriedError,
  type PayloadEncoding,
} from "@troupe/protocol/actor/v1";
import type { NextResult, PluginFrame } from "@troupe/protocol/plugin/v1";
import { pluginErrors } from "../errors.ts";
import type { ChunkStreams } from "../session/chunk-streams.ts";

interface Waiting {
  readonly invoke: number;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Those of one session. */
export class PluginNexts {
  readonly #encoding: PayloadEncoding;
  readonly #send: (frame: PluginFrame) => void;
  readonly #streams: ChunkStreams;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;

  constructor(encoding: PayloadEncoding, send: (frame: PluginFrame) => void, streams: ChunkStreams) {
    this.#encoding = encoding;
    this.#send = send;
    this.#streams = streams;
  }

  /** The rest of call `invoke`. Rejects with what it throws, and `plugin.next_revoked` when the call is over. */
  call(invoke: number, input: unknown): Promise<unknown> {
    this.#last += 1;
    const next = this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(next, { invoke, resolve, reject });
    const payload = encodePayload(input, this.#encoding);
    this.#send({ body: { $case: "next", value: { invoke, next, payload } } });
    return promise;
  }

  heard({ invoke, next, payload, error, stream }: NextResult): void {
    const waiting = this.#waiting.get(next);
    if (waiting === undefined) return;
    this.#waiting.delete(next);
    if (error !== undefined) waiting.reject(fromCarriedError(error, this.#encoding));
    else if (stream) waiting.resolve(this.#streams.read({ invoke, next }));
    else waiting.resolve(decodePayload(payload, this.#encoding));
  }

  /** The call is over: nobody answers any more. */
  end(invoke: number): void {
    for (const [next, waiting] of this.#waiting) {
      if (waiting.invoke !== invoke) continue;
      this.#waiting.delete(next);
      waiting.reject(pluginErrors.nextRevoked());
    }
    this.#streams.end(invoke, pluginErrors.nextRevoked());
  }
}
