/**
 * ReadableStream for a place that has only the language: the standard's default streams, without pipes, tees and byte
 * sources.
 */

/** What fills a stream. */
export interface StreamSource {
  start?(controller: StreamController): unknown;
  pull?(controller: StreamController): unknown;
  cancel?(reason: unknown): unknown;
}

/** What a source is given. */
export interface StreamController {
  readonly desiredSize: number | null;
  enqueue(chunk: unknown): void;
  close(): void;
  error(reason?: unknown): void;
}

type Result =
  | { readonly done: false; readonly value: unknown }
  | { readonly done: true; readonly value: undefined };

interface Waiting {
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

const OVER: Result = { done: true, value: undefined };

/** Chunks that somebody makes and somebody else reads. */
export class WebStream implements AsyncIterable<unknown> {
  readonly #source: StreamSource;
  readonly #most: number;
  readonly #queue: unknown[] = [];
  readonly #waiting: Waiting[] = [];
  readonly #controller: StreamController;
  #state: "open" | "closing" | "closed" | "failed" = "open";
  #reason: unknown;
  #started = false;
  #pulling = false;
  #locked = false;

  constructor(source: StreamSource = {}, { highWaterMark = 1 }: { readonly highWaterMark?: number } = {}) {
    this.#source = source;
    this.#most = highWaterMark;
    this.#controller = this.#control();
    const begun = source.start?.(this.#controller);
    Promise.resolve(begun).then(
      () => {
        this.#started = true;
        this.#pull();
      },
      (reason: unknown) => this.#fail(reason),
    );
  }

  get locked(): boolean {
    return this.#locked;
  }

  getReader(): WebStreamReader {
    if (this.#locked) throw new TypeError("The stream is being read already");
    this.#locked = true;
    return new WebStreamReader(
      () => this.#read(),
      (reason) => this.#cancel(reason),
      () => {
        this.#locked = false;
      },
    );
  }

  async cancel(reason?: unknown): Promise<void> {
    if (this.#locked) throw new TypeError("The stream is being read already");
    await this.#cancel(reason);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<unknown, void> {
    const reader = this.getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    } finally {
      await reader.cancel();
      reader.releaseLock();
    }
  }

  #control(): StreamController {
    const stream = this;
    return {
      get desiredSize() {
        return stream.#state === "failed" ? null : stream.#most - stream.#queue.length;
      },
      enqueue: (chunk) => this.#enqueue(chunk),
      close: () => this.#close(),
      error: (reason) => this.#fail(reason),
    };
  }

  #enqueue(chunk: unknown): void {
    if (this.#state !== "open") throw new TypeError("The stream is closed");
    const waiting = this.#waiting.shift();
    if (waiting === undefined) this.#queue.push(chunk);
    else waiting.resolve({ done: false, value: chunk });
    this.#pull();
  }

  #close(): void {
    if (this.#state !== "open") throw new TypeError("The stream is closed");
    this.#state = this.#queue.length === 0 ? "closed" : "closing";
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(OVER);
  }

  #fail(reason: unknown): void {
    if (this.#state !== "open" && this.#state !== "closing") return;
    this.#state = "failed";
    this.#reason = reason;
    this.#queue.length = 0;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(reason);
  }

  #read(): Promise<Result> {
    if (this.#queue.length > 0) {
      const value = this.#queue.shift();
      if (this.#state === "closing" && this.#queue.length === 0) this.#state = "closed";
      this.#pull();
      return Promise.resolve({ done: false, value });
    }
    if (this.#state === "failed") return Promise.reject(this.#reason);
    if (this.#state !== "open") return Promise.resolve(OVER);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#pull();
    });
  }

  async #cancel(reason: unknown): Promise<void> {
    if (this.#state === "failed") throw this.#reason;
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#queue.length = 0;
    for (const waiting of this.#waiting.splice(0)) waiting.resolve(OVER);
    await this.#source.cancel?.(reason);
  }

  #pull(): void {
    const wanted = this.#waiting.length > 0 || this.#queue.length < this.#most;
    if (!this.#started || this.#pulling || this.#state !== "open" || !wanted) return;
    const { pull } = this.#source;
    if (pull === undefined) return;
    this.#pulling = true;
    const pulled = async (): Promise<unknown> => await pull.call(this.#source, this.#controller);
    pulled().then(
      () => {
        this.#pulling = false;
        this.#pull();
      },
      (reason: unknown) => this.#fail(reason),
    );
  }
}

/** Who reads a stream. */
export class WebStreamReader {
  readonly #read: () => Promise<Result>;
  readonly #cancel: (reason: unknown) => Promise<void>;
  readonly #release: () => void;

  constructor(read: () => Promise<Result>, cancel: (reason: unknown) => Promise<void>, release: () => void) {
    this.#read = read;
    this.#cancel = cancel;
    this.#release = release;
  }

  read(): Promise<Result> {
    return this.#read();
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#cancel(reason);
  }

  releaseLock(): void {
    this.#release();
  }
}
