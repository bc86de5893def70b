/** Calls actions over one WebSocket per key, speaking the protocol's frames itself: no client code of ours. */
import type { KeyState, Outcome } from "../power-loss/ledger.ts";
import { type Caller, outcomeOf } from "../power-loss/load.ts";

interface Frame {
  readonly kind: string;
  readonly id?: number;
  readonly output?: unknown;
  readonly error?: Parameters<typeof outcomeOf>[0];
}

export class SocketCaller implements Caller {
  readonly #endpoint: string;
  readonly #sockets = new Map<string, KeySocket>();

  constructor(endpoint: string) {
    this.#endpoint = endpoint.replace(/^http/, "ws");
  }

  async add(key: string, lane: string, id: number): Promise<Outcome> {
    try {
      const { error, output } = await this.#socket(key).call("add", [lane, id]);
      return error === undefined ? { kind: "acknowledged", count: Number(output) } : outcomeOf(error);
    } catch (error) {
      return { kind: "unknown", error: `connection: ${error instanceof Error ? error.message : error}` };
    }
  }

  async read(key: string, tries = 3): Promise<KeyState> {
    const answer = await this.#socket(key)
      .call("read", [])
      .catch((cause: unknown) => (tries > 1 ? undefined : Promise.reject(cause)));
    if (answer === undefined) {
      // A machine that is busy may drop a connection; what is read stays the same.
      this.#sockets.delete(key);
      return await this.read(key, tries - 1);
    }
    const { error, output } = answer;
    if (error !== undefined) throw new Error(`read ${key}: ${JSON.stringify(error)}`);
    return output as KeyState;
  }

  close(): void {
    for (const socket of this.#sockets.values()) socket.close();
  }

  #socket(key: string): KeySocket {
    const known = this.#sockets.get(key);
    if (known !== undefined) return known;
    const query = `key=${encodeURIComponent(key)}&method=getOrCreate`;
    const socket = new KeySocket(`${this.#endpoint}/actor/counter/connect?${query}`);
    this.#sockets.set(key, socket);
    return socket;
  }
}

class KeySocket {
  readonly #socket: WebSocket;
  readonly #open: Promise<void>;
  readonly #calls = new Map<number, { resolve: (frame: Frame) => void; reject: (error: Error) => void }>();
  #next = 0;
  #closed = false;

  constructor(url: string) {
    this.#socket = new WebSocket(url, ["troupe"]);
    this.#open = new Promise((resolve, reject) => {
      this.#socket.addEventListener("open", () => resolve());
      this.#socket.addEventListener("close", ({ code, reason }) => {
        reject(new Error(`no connection: ${code} ${reason}`));
      });
    });
    this.#open.catch(() => undefined);
    this.#socket.addEventListener("open", () => {
      this.#socket.send(JSON.stringify({ kind: "hello", versions: [1], encoding: "json" }));
    });
    this.#socket.addEventListener("message", ({ data }) => this.#take(JSON.parse(String(data)) as Frame));
    this.#socket.addEventListener("close", ({ reason }) => this.#end(reason === "" ? "closed" : reason));
    this.#socket.addEventListener("error", () => undefined);
  }

  async call(name: string, args: readonly unknown[]): Promise<Frame> {
    await this.#open;
    if (this.#closed) throw new Error("closed");
    const id = ++this.#next;
    const { promise, resolve, reject } = Promise.withResolvers<Frame>();
    this.#calls.set(id, { resolve, reject });
    this.#socket.send(JSON.stringify({ kind: "action", id, name, args }));
    return promise;
  }

  close(): void {
    this.#socket.close();
  }

  #take(frame: Frame): void {
    if (frame.kind === "refusal" || (frame.kind === "error" && frame.id === undefined)) {
      return this.#end(`${frame.error?.group}.${frame.error?.code}`);
    }
    if (frame.id === undefined) return;
    this.#calls.get(frame.id)?.resolve(frame);
    this.#calls.delete(frame.id);
  }

  #end(why: string): void {
    this.#closed = true;
    for (const { reject } of this.#calls.values()) reject(new Error(why));
    this.#calls.clear();
  }
}
