/**
 * Worker server: the host's end, a gRPC server on a Unix socket that is open to one worker, once.
 *
 * The socket lies in a folder that only the host's user may enter. Whoever comes with another token is turned away, and
 * so is a second one with the right token: the first that shows it is the worker, and the token is spent. From then on nobody listens any
 * more, and every other connection is closed. Until then there are few at a time, the newest: connections are the host's descriptors,
 * which it needs for others.
 */
import { timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { engineLimits } from "@troupe/protocol";
import { WORKER_METHOD, WORKER_TOKEN_METADATA } from "@troupe/protocol/plugin/v1";
import { BatchStream } from "./batch-stream.ts";
import { acceptedHeaders, GrpcStatus, statusHeaders, windows } from "./grpc.ts";
import type { Handover } from "./handover.ts";

/** A listening socket. */
export class WorkerServer {
  /** Settles with the worker's stream. */
  readonly attached: Promise<BatchStream>;
  readonly #server: Server = createServer((socket) => this.#connect(socket));
  /** Of open connections, the oldest first. */
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #admit: (stream: BatchStream) => void;
  #token: Buffer | undefined;
  #refused = 0;

  private constructor(token: string) {
    const { promise, resolve } = Promise.withResolvers<BatchStream>();
    this.attached = promise;
    this.#admit = resolve;
    this.#token = Buffer.from(token);
  }

  /** Listens at `socket`, a path, for who shows `token`. */
  static async listen({ socket, token }: Handover): Promise<WorkerServer> {
    const worker = new WorkerServer(token);
    const server = worker.#server.listen(socket);
    await once(server, "listening");
    // Of a connection that can't be taken: its worker doesn't connect in time.
    server.on("error", () => undefined);
    return worker;
  }

  /** Connections that were turned away. */
  get refused(): number {
    return this.#refused;
  }

  /** Ends every stream, at once. */
  close(): void {
    this.#keepOnly(undefined);
  }

  #connect(socket: Socket): void {
    const session = performServerHandshake(socket, { settings: windows.settings });
    session.setLocalWindowSize(windows.connectionBytes);
    // What breaks it ends it, and the end is what counts.
    session.on("error", () => undefined);
    session.on("stream", (stream, headers) => this.#attach(session, stream, headers));
    session.once("close", () => this.#sessions.delete(session));
    this.#sessions.add(session);
    const [oldest] = this.#sessions;
    if (this.#sessions.size > engineLimits.workerConnections) oldest?.destroy();
  }

  /** Nobody else connects any more. */
  #keepOnly(session: ServerHttp2Session | undefined): void {
    this.#server.close();
    for (const other of this.#sessions) if (other !== session) other.destroy();
  }

  #attach(session: ServerHttp2Session, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // Its end follows, and is what counts.
    stream.on("error", () => undefined);
    const token = this.#token;
    if (headers[":path"] !== WORKER_METHOD) {
      this.#refuse(stream, GrpcStatus.UNIMPLEMENTED, `there is one method, ${WORKER_METHOD}`);
    } else if (token === undefined) {
      this.#refuse(stream, GrpcStatus.ALREADY_EXISTS, "the worker is connected already");
    } else if (!isToken(headers[WORKER_TOKEN_METADATA], token)) {
      this.#refuse(
        stream,
        GrpcStatus.UNAUTHENTICATED,
        "this isn't the token that the worker was started with",
      );
    } else {
      this.#token = undefined;
      stream.respond(acceptedHeaders, { waitForTrailers: true });
      stream.once("wantTrailers", () => stream.sendTrailers(statusHeaders(GrpcStatus.OK)));
      this.#keepOnly(session);
      this.#admit(new BatchStream(stream, "host"));
    }
  }

  #refuse(stream: ServerHttp2Stream, status: number, message: string): void {
    this.#refused += 1;
    stream.respond({ ...acceptedHeaders, ...statusHeaders(status, message) }, { endStream: true });
    // What it says all the same is nobody's.
    stream.resume();
  }
}

function isToken(shown: string | string[] | undefined, token: Buffer): boolean {
  const bytes = Buffer.from(typeof shown === "string" ? shown : "");
  return bytes.length === token.length && timingSafeEqual(bytes, token);
}
