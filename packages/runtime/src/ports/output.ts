/**
 * Output: what an actor says, encoded when it is said, until its gate lets it go.
 *
 * Whoever makes one decides where it goes; the gate alone decides when. It is a link of the gate's queue by itself, so
 * that waiting allocates nothing.
 */
import type { TroupeError } from "@troupe/base";

/** Something on its way out of an actor, already encoded. A link of the gate's queue. */
export abstract class Output {
  /** The gate's: the batch that this output waits for. */
  batch = 0;
  /** The gate's: the output made after this one. */
  next: Output | undefined = undefined;
  /** What it holds in memory while it waits. */
  abstract readonly bytes: number;
  /** Lets it go. Must not throw. What is said because of it leaves behind it. */
  abstract release(): void;
  /** It will never leave. */
  abstract fail(error: TroupeError): void;
}

/** An output whose ways out are two functions. */
export class FunctionOutput extends Output {
  readonly bytes: number;
  readonly #release: () => void;
  readonly #fail: (error: TroupeError) => void;

  constructor(bytes: number, release: () => void, fail: (error: TroupeError) => void) {
    super();
    this.bytes = bytes;
    this.#release = release;
    this.#fail = fail;
  }

  release(): void {
    this.#release();
  }

  fail(error: TroupeError): void {
    this.#fail(error);
  }
}
