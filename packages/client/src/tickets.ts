/** Names for messages that may be sent twice: 96 random bits of their client, and a number. */
import type { ClientEnv } from "./env.ts";
import type { ClientTransport } from "./transport.ts";

/** The tickets of one client. */
export class Tickets {
  readonly #env: Pick<ClientEnv, "random">;
  readonly #transport: Pick<ClientTransport, "losesAnswers">;
  #prefix: string | undefined;
  #last = 0;

  constructor(env: Pick<ClientEnv, "random">, transport: Pick<ClientTransport, "losesAnswers">) {
    this.#env = env;
    this.#transport = transport;
  }

  /** For a message: without one it can't be sent again. Where no answer is lost, only who waits for the reply needs it. */
  ofSend(wait: boolean | undefined): { readonly ticket?: string } {
    return wait === true || this.#transport.losesAnswers === true ? { ticket: this.next() } : {};
  }

  next(): string {
    this.#prefix ??= this.#word() + this.#word() + this.#word();
    this.#last += 1;
    return `${this.#prefix}-${this.#last.toString(36)}`;
  }

  #word(): string {
    return Math.floor(this.#env.random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0");
  }
}
