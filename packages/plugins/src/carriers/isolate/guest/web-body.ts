/** Request and Response for a place that has only the language: what `onRequest` is given, and what it gives. */
import { Utf8Decoder, Utf8Encoder } from "./text-coding.ts";
import { type HeadersSource, WebHeaders } from "./web-headers.ts";
import { WebStream } from "./web-stream.ts";

/** What a body may be made of. */
export type BodySource = string | ArrayBuffer | ArrayBufferView | WebStream | null;

/** What requests and answers have in common. */
class Body {
  readonly headers: WebHeaders;
  readonly body: WebStream | null;
  #used = false;

  constructor(source: BodySource | undefined, headers: HeadersSource | undefined) {
    this.headers = new WebHeaders(headers);
    this.body = source === undefined || source === null ? null : streamOf(source);
    if (typeof source === "string" && !this.headers.has("content-type"))
      this.headers.set("content-type", "text/plain;charset=UTF-8");
  }

  get bodyUsed(): boolean {
    return this.#used;
  }

  async text(): Promise<string> {
    return new Utf8Decoder().decode(await this.bytes());
  }

  async json(): Promise<unknown> {
    return JSON.parse(await this.text());
  }

  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#used || this.body?.locked === true) throw new TypeError("The body was read already");
    this.#used = true;
    const chunks: Uint8Array[] = [];
    for await (const chunk of this.body ?? []) {
      if (!(chunk instanceof Uint8Array)) throw new TypeError("A body is a stream of Uint8Arrays");
      chunks.push(chunk);
    }
    const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.byteLength, 0));
    let offset = 0;
    for (const chunk of chunks) {
      whole.set(chunk, offset);
      offset += chunk.byteLength;
    }
    return whole;
  }
}

/** A request: where it went, and what it said. */
export class WebRequest extends Body {
  readonly url: string;
  readonly method: string;
  readonly signal: AbortSignal | undefined;

  constructor(
    url: string,
    init: {
      readonly method?: string;
      readonly headers?: HeadersSource;
      readonly body?: BodySource;
      readonly signal?: AbortSignal;
    } = {},
  ) {
    super(init.body, init.headers);
    this.url = url;
    this.method = (init.method ?? "GET").toUpperCase();
    this.signal = init.signal;
  }
}

/** An answer. */
export class WebResponse extends Body {
  readonly status: number;
  readonly statusText: string;

  constructor(
    body?: BodySource,
    init: { readonly status?: number; readonly statusText?: string; readonly headers?: HeadersSource } = {},
  ) {
    super(body, init.headers);
    this.status = init.status ?? 200;
    this.statusText = init.statusText ?? "";
    if (!Number.isInteger(this.status) || this.status < 200 || this.status > 599)
      throw new RangeError("The status of a Response is from 200 to 599");
  }

  get ok(): boolean {
    return this.status < 300;
  }

  static json(value: unknown, init: ConstructorParameters<typeof WebResponse>[1] = {}): WebResponse {
    const headers = new WebHeaders(init.headers);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
    return new WebResponse(JSON.stringify(value), { ...init, headers });
  }

  static redirect(url: string, status = 302): WebResponse {
    return new WebResponse(null, { status, headers: { location: url } });
  }
}

function streamOf(source: NonNullable<BodySource>): WebStream {
  if (source instanceof WebStream) return source;
  const bytes = bytesOf(source);
  return new WebStream(
    {
      pull: (controller) => {
        if (bytes.byteLength > 0) controller.enqueue(bytes);
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

function bytesOf(source: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (source instanceof ArrayBuffer) return new Uint8Array(source.slice(0));
  if (!ArrayBuffer.isView(source)) return new Utf8Encoder().encode(String(source));
  return new Uint8Array(source.buffer, source.byteOffset, source.byteLength).slice();
}
