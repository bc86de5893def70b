/**
 * The answer of a call whose writes may have been stored by a batch before the one that its answer waits for.
 *
 * Code behind a carrier says what it writes and what it answers in two messages, and a batch may be taken between them. When
 * the later batch fails with "nothing was stored", that isn't known of this call.
 */
import { TroupeError } from "@troupe/base";
import { Output } from "../../ports/output.ts";

/** How many batches of an activation were taken, and how many of them are durable; they become so in their order. */
export interface Batches {
  taken: number;
  stored: number;
}

/** An answer that says so when it can't leave. */
export class PartStored extends Output {
  readonly bytes: number;
  readonly #answer: Output;
  readonly #before: number;
  readonly #batches: Readonly<Batches>;

  /** `before`: batches that had been taken when the call began. */
  constructor(answer: Output, before: number, batches: Readonly<Batches>) {
    super();
    this.bytes = answer.bytes;
    this.#answer = answer;
    this.#before = before;
    this.#batches = batches;
  }

  release(): void {
    this.#answer.release();
  }

  fail(error: TroupeError): void {
    this.#answer.fail(this.#batches.stored > this.#before ? unsure(error) : error);
  }
}

function unsure(error: TroupeError): TroupeError {
  if (error.metadata?.["applied"] !== "no") return error;
  const { group, code, message, statusCode, cause } = error;
  const metadata = { ...error.metadata, applied: "unknown" };
  return new TroupeError(group, code, message, { metadata, statusCode, public: error.public, cause });
}
