/**
 * The raw HTTP requests of one carried activation: the runtime's end.
 *
 *   asked ──RequestAnswer──▶ answering ──BodyEnd──▶ done
 *      └── RequestAnswer with an error, the actor stops ──▶ refused
 *
 * The code has its own end, with hooks and streams; here bodies pass in chunks, no more of them than the other side has
 * given credit for. What the code answers is an output: it leaves when what was written before it is durable. When the
 * gate breaks, the answer is reset.
 */
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import {
  type BodyChunk,
  type BodyEnd,
  encodePayload,
  fromCarriedError,
  NO_PAYLOAD,
  type RequestAnswer,
  type RequestOpen,
  toCarriedError,
} from "@troupe/protocol/actor/v1";
import { actorErrors, notRetryable } from "../../errors.ts";
import type { ActorSaying } from "../../ports/carried.ts";
import { FunctionOutput } from "../../ports/output.ts";
import type { HttpExchange, RawHttpRequest } from "../../ports/raw.ts";
import type { CarriedActivation } from "./activation.ts";

/** Opens, finds and ends raw HTTP requests. */
export class Requests {
  readonly #activation: CarriedActivation;
  readonly #open = new Map<number, CarriedRequest>();
  #last = 0;

  constructor(activation: CarriedActivation) {
    this.#activation = activation;
  }

  /** Asks the code. Never throws. */
  open(request: RawHttpRequest): void {
    const { declaration, work } = this.#activation;
    if (!declaration.requests) {
      request.refused(actorErrors.noHandler(declaration.name, "onRequest"));
      return;
    }
    if (this.#open.size >= limits.actorRequests) {
      request.refused(actorErrors.overloaded("HTTP requests in flight", limits.actorRequests));
      return;
    }
    let value: RequestOpen;
    try {
      value = this.#describe(request);
    } catch (cause) {
      request.refused(cause);
      return;
    }
    work.begin("request");
    const number = value.request;
    const opened = new CarriedRequest(number, { activation: this.#activation, request, requests: this });
    this.#open.set(number, opened);
    this.#activation.say({ $case: "requestOpen", value });
    request.opened(opened);
  }

  /** Takes what the code says of requests; false for anything else. */
  heard({ $case: what, value }: ActorSaying): boolean {
    if (what === "requestAnswer") this.answered(value);
    else if (what === "bodyChunk") this.chunk(value);
    else if (what === "bodyEnd") this.ended(value);
    else if (what === "bodyCredit") this.credit(value.request, value.chunks);
    else return false;
    return true;
  }

  /** The code's answer begins, or is a refusal. One to a request that isn't there is nobody's. */
  answered(answer: RequestAnswer): void {
    this.#open.get(answer.request)?.answered(answer);
  }

  chunk({ request, data }: BodyChunk): void {
    // Never the carrier's own buffer: that is used again.
    this.#open.get(request)?.chunk(data.slice());
  }

  ended({ request, error }: BodyEnd): void {
    this.#open.get(request)?.ended(error && fromCarriedError(error, this.#activation.encoding));
  }

  /** The code takes more of a request's body. */
  credit(request: number, chunks: number): void {
    this.#open.get(request)?.upload(chunks);
  }

  /** One is over. */
  remove(number: number): void {
    if (this.#open.delete(number)) this.#activation.work.end("request");
  }

  /** Nothing more comes of any. */
  endAll(error: TroupeError): void {
    for (const request of [...this.#open.values()]) request.cut(error);
  }

  #describe(request: RawHttpRequest): RequestOpen {
    this.#last += 1;
    const { method, url, headers } = request.head;
    const { encoding } = this.#activation;
    return {
      request: this.#last,
      method,
      url,
      headers: headers.map(([name, value]) => ({ name, value })),
      params: request.params === undefined ? NO_PAYLOAD : encodePayload(request.params, encoding),
      hasBody: request.body !== undefined,
    };
  }
}

/** The gateway's end of one, while the code has it. */
class CarriedRequest implements HttpExchange {
  readonly #number: number;
  readonly #activation: CarriedActivation;
  readonly #asked: RawHttpRequest;
  readonly #requests: Requests;
  #answering = false;
  #over = false;
  /** Chunks of the request's body that the code takes. */
  #wanted = 0;
  #uploading = false;
  #rest: Uint8Array | undefined;

  constructor(
    number: number,
    of: { activation: CarriedActivation; request: RawHttpRequest; requests: Requests },
  ) {
    this.#number = number;
    this.#activation = of.activation;
    this.#asked = of.request;
    this.#requests = of.requests;
  }

  credit(chunks: number): void {
    this.#activation.say({ $case: "bodyCredit", value: { request: this.#number, chunks } });
  }

  /** The client is gone. */
  cancel(): void {
    if (this.#over) return;
    this.#finish();
    this.#activation.say({ $case: "requestAbort", value: { request: this.#number } });
  }

  answered({ status, headers, error: refusal }: RequestAnswer): void {
    if (this.#answering || this.#over) return;
    if (refusal !== undefined) {
      this.#refuse(notRetryable(fromCarriedError(refusal, this.#activation.encoding)));
      return;
    }
    this.#answering = true;
    const head = { status, headers: headers.map(({ name, value }) => [name, value] as const) };
    const { peer, refused } = this.#asked;
    this.#emit(
      headers.length * 64,
      () => peer.head(head),
      (error) => refused(notRetryable(error)),
    );
  }

  chunk(bytes: Uint8Array): void {
    if (this.#answering && !this.#over) this.#emit(bytes.byteLength, () => this.#asked.peer.chunk(bytes));
  }

  ended(error: TroupeError | undefined): void {
    if (!this.#answering || this.#over) return;
    const { peer } = this.#asked;
    this.#finish();
    this.#emit(16, () => (error === undefined ? peer.end() : peer.reset(error)));
  }

  /** The activation ends before the answer does. */
  cut(error: TroupeError): void {
    if (this.#over) return;
    if (!this.#answering) return this.#refuse(notRetryable(error));
    this.#finish();
    this.#emit(16, () => this.#asked.peer.reset(error));
  }

  /** The code takes so many more chunks of the request's body. */
  upload(chunks: number): void {
    this.#wanted += chunks;
    if (!this.#uploading) void this.#upload();
  }

  /** Never rejects. */
  async #upload(): Promise<void> {
    const { body } = this.#asked;
    if (body === undefined) return;
    this.#uploading = true;
    try {
      for (; this.#wanted > 0 && !this.#over; this.#wanted -= 1) {
        if (this.#rest === undefined || this.#rest.byteLength === 0) this.#rest = await body.read();
        if (this.#over) return;
        if (this.#rest === undefined) return this.#endUpload(undefined);
        const data = this.#rest.subarray(0, limits.bodyChunkBytes);
        this.#rest = this.#rest.subarray(data.byteLength);
        this.#activation.say({ $case: "bodyChunk", value: { request: this.#number, data } });
      }
      this.#uploading = false;
    } catch (cause) {
      this.#endUpload(cause);
    }
  }

  /** The last: `#uploading` stays set, so that nothing is read any more. */
  #endUpload(cause: unknown): void {
    const error = cause === undefined ? undefined : toCarriedError(cause, this.#activation.encoding);
    this.#activation.say({ $case: "bodyEnd", value: { request: this.#number, error } });
  }

  /** What refuses may depend on what isn't durable yet. */
  #refuse(cause: unknown): void {
    const { refused } = this.#asked;
    this.#finish();
    this.#emit(
      64,
      () => refused(cause),
      (error) => refused(notRetryable(error)),
    );
  }

  #finish(): void {
    this.#over = true;
    this.#asked.body?.cancel();
    this.#requests.remove(this.#number);
  }

  #emit(
    bytes: number,
    release: () => void,
    fail: (error: TroupeError) => void = (error) => this.#asked.peer.reset(error),
  ): void {
    this.#activation.emit(new FunctionOutput(bytes, release, fail));
  }
}
