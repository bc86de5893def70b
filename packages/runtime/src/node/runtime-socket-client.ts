/**
 * The client of a runtime socket, for processes that an actor has started: `connectRuntimeSocket()` of `troupe/runtime-socket`.
 */
import { connect, type Socket } from "node:net";
import { type BindParam, type ExecuteResult, fromWireError, type WireError } from "@troupe/protocol";
import { runtimeSocketErrors } from "../runtime-socket/errors.ts";
import {
  encodeFrame,
  type Fields,
  FrameReader,
  RUNTIME_SOCKET_PATH,
  RUNTIME_SOCKET_TOKEN,
  RUNTIME_SOCKET_VERSIONS,
} from "../runtime-socket/frames.ts";

/** Parameters of a statement, by position or by name. */
export type SocketParams = readonly BindParam[] | Readonly<Record<string, BindParam>>;

/** A statement of a batch. */
export type SocketStatement = string | { readonly sql: string; readonly args?: SocketParams };

/** Statements, at once or in a transaction. */
export interface SocketSql {
  /** Statements in their order, in one go: all of them happen, or with the error of the first that fails none. */
  batch(statements: readonly SocketStatement[]): Promise<ExecuteResult[]>;
  /** Rejects with `sql.*`. */
  query(sql: string, params?: SocketParams): Promise<ExecuteResult>;
}

/** What `connectRuntimeSocket` takes. */
export interface RuntimeSocketOptions {
  /** Default: TROUPE_RUNTIME_SOCKET. */
  readonly path?: string;
  /** Default: TROUPE_RUNTIME_TOKEN. */
  readonly token?: string;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** A connection to the actor that this process works for. */
export class RuntimeSocketClient implements SocketSql, AsyncDisposable {
  /** Keys and values, as `c.kv` has them. Values are bytes. */
  readonly kv = {
    get: (key: string | Uint8Array) => this.#ask("kv.get", { key }) as Promise<Uint8Array | null>,
    put: (key: string | Uint8Array, value: string | Uint8Array) => this.#void("kv.put", { key, value }),
    delete: (key: string | Uint8Array) => this.#void("kv.delete", { key }),
    list: (
      prefix: string | Uint8Array,
      options: { readonly limit?: number; readonly reverse?: boolean } = {},
    ) => this.#ask("kv.list", { prefix, ...options }) as Promise<[key: Uint8Array, value: Uint8Array][]>,
  };
  /** The actor's state: a copy of it, and its properties. */
  readonly state = {
    get: () => this.#ask("state.get", {}),
    set: (property: string, value: unknown) => this.#void("state.set", { property, value }),
    delete: (property: string) => this.#ask("state.delete", { property }) as Promise<boolean>,
  };
  readonly #socket: Socket;
  readonly #frames = new FrameReader();
  readonly #waiting = new Map<number, Waiting>();
  readonly #welcome = Promise.withResolvers<Fields>();
  readonly #closed = Promise.withResolvers<void>();
  #failure: unknown;
  #last = 0;

  private constructor({ path, token }: Required<RuntimeSocketOptions>) {
    this.#socket = connect(path);
    this.#socket.on("data", (bytes) => this.#data(bytes));
    this.#socket.on("error", (cause) => this.#fail(cause));
    this.#socket.on("close", () => {
      this.#fail(runtimeSocketErrors.lost());
      this.#closed.resolve();
    });
    this.#send({ kind: "hello", versions: [...RUNTIME_SOCKET_VERSIONS], token });
  }

  /** Settles when the actor has let this process in. Rejects with `runtime_socket.*`, or what keeps it from connecting. */
  static async connect(options: RuntimeSocketOptions = {}): Promise<RuntimeSocketClient> {
    const path = options.path ?? process.env[RUNTIME_SOCKET_PATH];
    const token = options.token ?? process.env[RUNTIME_SOCKET_TOKEN];
    if (!path) throw runtimeSocketErrors.notGiven(RUNTIME_SOCKET_PATH, "path");
    if (!token) throw runtimeSocketErrors.notGiven(RUNTIME_SOCKET_TOKEN, "token");
    const client = new RuntimeSocketClient({ path, token });
    await client.#welcome.promise;
    return client;
  }

  async batch(statements: readonly SocketStatement[]): Promise<ExecuteResult[]> {
    return await this.#batch(statements, undefined);
  }

  async query(sql: string, params: SocketParams = []): Promise<ExecuteResult> {
    return await this.#query(sql, params, undefined);
  }

  /**
   * Runs `work` in a transaction of the actor's database; it is rolled back when `work` throws, and when this process ends.
   * Rejects with `sql.*`, and what `work` throws.
   */
  async transaction<R>(
    work: (tx: SocketSql) => Promise<R>,
    options: { readonly timeoutMs?: number } = {},
  ): Promise<R> {
    const lease = await this.#ask("sql.begin", { ...options });
    let result: R;
    try {
      result = await work({
        batch: (statements) => this.#batch(statements, lease),
        query: (sql, params = []) => this.#query(sql, params, lease),
      });
    } catch (cause) {
      await this.#ask("sql.rollback", { lease }).catch(() => {});
      throw cause;
    }
    await this.#ask("sql.commit", { lease });
    return result;
  }

  /** Sends an event to the actor's clients, as `c.broadcast` does. */
  async broadcast(name: string, ...args: readonly unknown[]): Promise<void> {
    await this.#ask("events.broadcast", { name, args: [...args] });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Ends the connection behind what was asked. */
  async close(): Promise<void> {
    this.#socket.end();
    await this.#closed.promise;
  }

  async #query(sql: string, params: SocketParams, lease: unknown): Promise<ExecuteResult> {
    const result = await this.#ask("sql.query", { sql, params, ...(lease === undefined ? {} : { lease }) });
    return result as ExecuteResult;
  }

  async #batch(statements: readonly SocketStatement[], lease: unknown): Promise<ExecuteResult[]> {
    const fields = { statements: [...statements], ...(lease === undefined ? {} : { lease }) };
    return (await this.#ask("sql.batch", fields)) as ExecuteResult[];
  }

  async #void(name: string, fields: Fields): Promise<void> {
    await this.#ask(name, fields);
  }

  #ask(name: string, fields: Fields): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) throw this.#failure;
      this.#last += 1;
      const id = this.#last;
      this.#send({ ...fields, kind: "request", id, do: name });
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #send(message: Fields): void {
    this.#socket.write(encodeFrame(message));
  }

  #data(bytes: Uint8Array): void {
    try {
      for (const message of this.#frames.read(bytes)) this.#heard(message);
    } catch (cause) {
      this.#fail(cause);
      this.#socket.destroy();
    }
  }

  #heard(message: Fields): void {
    const { kind, id, value, error } = message;
    if (kind === "welcome") return this.#welcome.resolve(message);
    if (kind === "refused") return this.#fail(fromWireError(error as WireError));
    const waiting = this.#waiting.get(Number(id));
    this.#waiting.delete(Number(id));
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(fromWireError(error as WireError));
  }

  #fail(cause: unknown): void {
    this.#failure ??= cause;
    this.#welcome.reject(this.#failure);
    for (const { reject } of this.#waiting.values()) reject(this.#failure);
    this.#waiting.clear();
  }
}

/** Connects to the actor that started this process, and gave it the variables of `c.runtimeSocket()`. */
export function connectRuntimeSocket(options: RuntimeSocketOptions = {}): Promise<RuntimeSocketClient> {
  return RuntimeSocketClient.connect(options);
}
