/** A request's body, read as a whole. */
import type { IncomingMessage } from "node:http";
import { limits } from "@troupe/protocol";
import { serverErrors } from "../errors.ts";
import type { BodyBudget } from "../gateway/body-budget.ts";
import type { LateBodies, ReadingBody } from "./late-bodies.ts";

/** Who has a body read. One of `done` and `failed` is called, once; neither when the client goes before. */
export interface BodyHandler {
  readonly late: LateBodies;
  readonly done: (body: Uint8Array) => void;
  readonly failed: (error: unknown) => void;
}

/**
 * Collects a request's body, up to the limit.
 *
 * It forgets its handler when it is over. Where an event has two listeners node:events keeps them in an array, and V8 may come to
 * make these arrays among its old objects, as those of sockets live long: one whose request is over holds what its listeners know
 * until the next full collection. That would be the request, its answer, and all that they hold.
 */
export class BodyReader implements ReadingBody {
  readonly since = performance.now();
  older: ReadingBody | undefined;
  newer: ReadingBody | undefined;
  readonly #late: LateBodies;
  readonly #budget: BodyBudget;
  readonly #chunks: Buffer[] = [];
  #request: IncomingMessage | undefined;
  #handler: BodyHandler | undefined;
  #length = 0;

  constructor(request: IncomingMessage, budget: BodyBudget, handler: BodyHandler) {
    this.#late = handler.late;
    this.#late.add(this);
    this.#request = request;
    this.#budget = budget;
    this.#handler = handler;
    // Listeners that know nothing but this.
    request.on("data", (chunk: Buffer) => this.#take(chunk));
    request.on("end", () => this.#end());
    // The client is gone: nobody to answer.
    request.on("error", () => {});
    request.on("close", () => this.#drop());
  }

  late(): void {
    this.#refuse(serverErrors.requestTimeout());
  }

  #take(chunk: Buffer): void {
    try {
      if (this.#length + chunk.length > limits.httpBodyBytes)
        throw serverErrors.bodyTooLarge(limits.httpBodyBytes);
      this.#budget.take(chunk.length);
      this.#length += chunk.length;
      this.#chunks.push(chunk);
    } catch (cause) {
      this.#refuse(cause);
    }
  }

  #end(): void {
    const handler = this.#handler;
    const body = this.#whole();
    this.#drop();
    handler?.done(body);
  }

  #refuse(cause: unknown): void {
    const handler = this.#handler;
    this.#request?.removeAllListeners("data");
    this.#request?.removeAllListeners("end");
    this.#drop();
    handler?.failed(cause);
  }

  /** Gives back what the chunks took, once, and forgets whose they were. */
  #drop(): void {
    this.#late.delete(this);
    this.#budget.give(this.#length);
    this.#length = 0;
    this.#chunks.length = 0;
    this.#request = undefined;
    this.#handler = undefined;
  }

  #whole(): Uint8Array {
    const [first] = this.#chunks;
    return this.#chunks.length === 1 && first !== undefined
      ? first
      : Buffer.concat(this.#chunks, this.#length);
  }
}
