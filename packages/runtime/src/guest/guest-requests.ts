/**
 * The raw HTTP requests of one guest's actor: their clients are at the host, and bodies pass the line in chunks.
 */
import { limits } from "@troupe/protocol";
import {
  type BodyChunk,
  type BodyCredit,
  type BodyEnd,
  decodePayload,
  fromCarriedError,
  type RequestOpen,
} from "@troupe/protocol/actor/v1";
import { requestErrors } from "../errors.ts";
import type { ActorInstance } from "../ports/instance.ts";
import type { ByteSource, HttpExchange } from "../ports/raw.ts";
import type { ReplyVoice, Say } from "./guest-output.ts";

interface OpenRequest {
  readonly body: GuestBody | undefined;
  exchange: HttpExchange | undefined;
}

/** Requests by the host's numbers. */
export class GuestRequests {
  readonly #say: Say;
  readonly #voice: ReplyVoice;
  readonly #open = new Map<number, OpenRequest>();

  constructor(voice: ReplyVoice) {
    this.#say = voice.say;
    this.#voice = voice;
  }

  open(
    instance: ActorInstance,
    { request: number, method, url, headers, params, hasBody }: RequestOpen,
  ): void {
    const body = hasBody ? new GuestBody(number, this.#say) : undefined;
    const open: OpenRequest = { body, exchange: undefined };
    this.#open.set(number, open);
    instance.open({
      kind: "http",
      params: params.byteLength === 0 ? undefined : decodePayload(params, "cbor"),
      head: { method, url, headers: headers.map(({ name, value }) => [name, value] as const) },
      body,
      peer: {
        head: (head) => {
          const said = head.headers.map(([name, value]) => ({ name, value }));
          this.#say({
            $case: "requestAnswer",
            value: { request: number, status: head.status, headers: said, error: undefined },
          });
        },
        chunk: (data) => this.#say({ $case: "bodyChunk", value: { request: number, data } }),
        end: () => this.#end(number, undefined),
        reset: (error) => this.#end(number, error),
      },
      opened: (exchange) => {
        open.exchange = exchange;
      },
      refused: (cause) => {
        this.#open.delete(number);
        const error = this.#voice.error(cause);
        this.#say({ $case: "requestAnswer", value: { request: number, status: 0, headers: [], error } });
      },
    });
  }

  chunk({ request, data }: BodyChunk): void {
    // The line's own buffer is used again.
    this.#open.get(request)?.body?.push(data.slice());
  }

  /** The request's body has ended, or broken off. */
  ended({ request, error }: BodyEnd): void {
    this.#open.get(request)?.body?.ended(error && fromCarriedError(error, "cbor"));
  }

  credit({ request, chunks }: BodyCredit): void {
    this.#open.get(request)?.exchange?.credit(chunks);
  }

  /** The client is gone. */
  aborted(request: number): void {
    const open = this.#open.get(request);
    this.#open.delete(request);
    open?.body?.ended(requestErrors.clientGone());
    open?.exchange?.cancel(undefined);
  }

  #end(number: number, cause: unknown): void {
    this.#open.delete(number);
    const error = cause === undefined ? undefined : this.#voice.error(cause);
    this.#say({ $case: "bodyEnd", value: { request: number, error } });
  }
}

/** Credit is given back by halves of the window: a message for each chunk would double their number. */
const GRANT = limits.bodyChunks / 2;

/** A request's body, as its chunks come. Nothing comes before it is asked for. */
class GuestBody implements ByteSource {
  readonly #number: number;
  readonly #say: Say;
  readonly #chunks: Uint8Array[] = [];
  #end: { readonly error: unknown } | undefined;
  #change: (() => void) | undefined;
  /** Chunks that may still come. */
  #granted = 0;

  constructor(number: number, say: Say) {
    this.#number = number;
    this.#say = say;
  }

  push(chunk: Uint8Array): void {
    if (this.#end !== undefined) return;
    this.#granted -= 1;
    this.#chunks.push(chunk);
    this.#change?.();
  }

  ended(error: unknown): void {
    this.#end ??= { error };
    this.#change?.();
  }

  async read(): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#chunks.shift();
      if (chunk !== undefined) return chunk;
      if (this.#end?.error !== undefined) throw this.#end.error;
      if (this.#end !== undefined) return undefined;
      if (this.#granted < GRANT) this.#grant(limits.bodyChunks - this.#granted);
      await new Promise<void>((change) => {
        this.#change = change;
      });
    }
  }

  cancel(): void {
    this.#chunks.length = 0;
    this.#end ??= { error: undefined };
  }

  #grant(chunks: number): void {
    this.#granted += chunks;
    this.#say({ $case: "bodyCredit", value: { request: this.#number, chunks } });
  }
}
