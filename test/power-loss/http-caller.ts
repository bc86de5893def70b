/** Calls actions by plain HTTP, without any of our client code. */
import { Agent, request } from "node:http";
import type { KeyState, Outcome } from "./ledger.ts";
import { type Caller, outcomeOf } from "./load.ts";

interface Answer {
  readonly output?: unknown;
  readonly error?: { group: string; code: string; message: string; metadata?: unknown; retryable: boolean };
}

export class HttpCaller implements Caller {
  readonly #endpoint: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 128 });

  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  async add(key: string, lane: string, id: number): Promise<Outcome> {
    try {
      const answer = await this.#post(key, "add", [lane, id]);
      if (answer.error !== undefined) return outcomeOf(answer.error);
      return { kind: "acknowledged", count: Number(answer.output) };
    } catch (error) {
      return { kind: "unknown", error: `connection: ${error instanceof Error ? error.message : error}` };
    }
  }

  async read(key: string): Promise<KeyState> {
    const answer = await this.#post(key, "read", []);
    if (answer.error !== undefined) throw new Error(`read ${key}: ${JSON.stringify(answer.error)}`);
    return answer.output as KeyState;
  }

  close(): void {
    this.#agent.destroy();
  }

  #post(key: string, action: string, args: readonly unknown[]): Promise<Answer> {
    const url = `${this.#endpoint}/actor/counter/action/${action}?key=${encodeURIComponent(key)}&method=getOrCreate`;
    return new Promise((resolve, reject) => {
      const headers = { "content-type": "application/json" };
      const call = request(url, { method: "POST", agent: this.#agent, headers }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", reject);
        response.on("close", () => {
          if (!response.complete) return reject(new Error("the answer broke off"));
          try {
            resolve(JSON.parse(Buffer.concat(parts).toString()) as Answer);
          } catch (error) {
            reject(error);
          }
        });
      });
      call.on("error", reject);
      call.end(JSON.stringify({ args }));
    });
  }
}
