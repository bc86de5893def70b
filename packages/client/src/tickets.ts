/** Names for messages that may be sent twice: 96 random bits of their client, and a number. */
import type { ClientEnv } from "./env.ts";

/** The tickets of one client. */
export class Tickets {
  readonly #env: Pick<ClientEnv, "random">;
  #prefix: string | undefined;
  #last = 0;

  constructor(env: Pick<ClientEnv, "random">) {
    this.#env = env;
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
