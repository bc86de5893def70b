/**
 * Raw HTTP behind fetch's Request and Response: bodies stream both ways, and nothing is made before it is read.
 */
import type { TroupeError } from "@troupe/base";
import type { ByteSource, HttpAnswerHead } from "../ports/raw.ts";
import type { Gateway } from "./gateway.ts";
import type { RawExchange, StreamingReply } from "./raw-exchange.ts";

/** Asks an actor. The request is admitted. Settles with the answer's head; its body comes as it is read. `inside`: an actor asks. */
export async function exchangeFetch(
  gateway: Gateway,
  request: Request,
  { header, inside = false }: { header: (name: string) => string | undefined; inside?: boolean },
): Promise<Response> {
  const { signal } = request;
  const { pathname, search, origin } = new URL(request.url);
  const reply = new FetchReply(request.method);
  const exchange = gateway.exchange(
    {
      method: request.method,
      url: pathname + search,
      origin,
      header,
      headers: [...request.headers],
      body: request.body === null ? undefined : new StreamSource(request.body),
      inside,
    },
    reply,
  );
  const gone = (): void => reply.abort(signal.reason);
  reply.belongsTo(exchange, () => signal.removeEventListener("abort", gone));
  signal.addEventListener("abort", gone);
  if (signal.aborted) gone();
  return await reply.response;
}

/** The body of a Request. */
class StreamSource implements ByteSource {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#reader = stream.getReader();
  }

  async read(): Promise<Uint8Array | undefined> {
    const { value } = await this.#reader.read();
    return value;
  }

  cancel(): void {
    this.#reader.cancel().catch(() => {});
  }
}

/** An answer on its way into a Response. */
class FetchReply implements StreamingReply {
  readonly response: Promise<Response>;
  readonly #method: string;
  readonly #resolve: (response: Response) => void;
  readonly #reject: (reason: unknown) => void;
  #exchange: RawExchange | undefined;
  #release: () => void = () => {};
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** Made, and not read yet. */
  readonly #chunks: Uint8Array[] = [];
  #wanted: (() => void) | undefined;
  #over = false;

  constructor(method: string) {
    const { promise, resolve, reject } = Promise.withResolvers<Response>();
    this.response = promise;
    this.#method = method;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** `release` is called when all is over. */
  belongsTo(exchange: RawExchange, release: () => void): void {
    this.#exchange = exchange;
    if (this.#over) release();
    else this.#release = release;
  }

  head({ status, headers }: HttpAnswerHead): void {
    const init = { status, headers: headers.map(([name, value]): [string, string] => [name, value]) };
    const empty = this.#method === "HEAD" || status === 204 || status === 205 || status === 304;
    this.#resolve(new Response(empty ? null : this.#body(), init));
  }

  chunk(bytes: Uint8Array): void {
    this.#chunks.push(bytes);
    this.#wanted?.();
  }

  end(): void {
    this.#finish();
    this.#wanted?.();
    if (this.#chunks.length === 0) this.#close();
  }

  reset(error: TroupeError): void {
    this.#finish();
    this.#controller?.error(error);
    this.#controller = undefined;
  }

  /** The client doesn't want it any more. */
  abort(reason: unknown): void {
    if (this.#over) return;
    this.#finish();
    this.#exchange?.gone();
    this.#reject(reason);
    this.#controller?.error(reason);
    this.#controller = undefined;
  }

  #body(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return new ReadableStream<Uint8Array<ArrayBuffer>>(
      {
        start: (controller) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => {
          this.#controller = undefined;
          this.#finish();
          this.#exchange?.gone();
        },
      },
      { highWaterMark: 0 },
    );
  }

  /** Hands over one chunk, now or when it comes. */
  async #pull(): Promise<void> {
    if (this.#chunks.length === 0 && !this.#over)
      await new Promise<void>((wanted) => {
        this.#wanted = wanted;
      });
    this.#wanted = undefined;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#controller?.enqueue(chunk);
      this.#exchange?.taken(1);
    }
    if (this.#over && this.#chunks.length === 0) this.#close();
  }

  #close(): void {
    this.#controller?.close();
    this.#controller = undefined;
  }

  #finish(): void {
    this.#over = true;
    this.#release();
  }
}
