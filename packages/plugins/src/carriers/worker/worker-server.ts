/**
 * Worker server: the host's end, a gRPC server on a Unix socket that is open to one worker, once.
 *
 * The socket lies in a folder that only the host's user may enter. Whoever comes with another token is turned away, and
 * so is a second one with the right token: the first that shows it is the worker, and the token is spent.
 */
import { timingSafeEqual } from "node:crypto";
import { WORKER_TOKEN_METADATA } from "@troupe/protocol/plugin/v1";
import { channelOptions, type Grpc, type HostStream, workerService } from "./grpc.ts";
import type { Handover } from "./handover.ts";

/** A listening socket. */
export class WorkerServer {
  /** Settles with the worker's stream. */
  readonly attached: Promise<HostStream>;
  readonly #grpc: Grpc;
  readonly #server: InstanceType<Grpc["Server"]>;
  readonly #admit: (stream: HostStream) => void;
  #token: Buffer | undefined;
  #refused = 0;

  private constructor(grpc: Grpc, token: string) {
    const { promise, resolve } = Promise.withResolvers<HostStream>();
    this.attached = promise;
    this.#admit = resolve;
    this.#grpc = grpc;
    this.#token = Buffer.from(token);
    this.#server = new grpc.Server(channelOptions);
    this.#server.addService(workerService, { attach: (stream: HostStream) => this.#attach(stream) });
  }

  /** Listens at `socket`, a path, for who shows `token`. */
  static async listen(grpc: Grpc, { socket, token }: Handover): Promise<WorkerServer> {
    const server = new WorkerServer(grpc, token);
    await new Promise<void>((resolve, reject) => {
      server.#server.bindAsync(`unix:${socket}`, grpc.ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    return server;
  }

  /** Connections that were turned away. */
  get refused(): number {
    return this.#refused;
  }

  /** Ends every stream, at once. */
  close(): void {
    this.#server.forceShutdown();
  }

  #attach(stream: HostStream): void {
    const { status } = this.#grpc;
    stream.on("error", () => undefined);
    const token = this.#token;
    if (token === undefined) {
      this.#refuse(stream, status.ALREADY_EXISTS, "the worker is connected already");
    } else if (!isToken(stream.metadata.get(WORKER_TOKEN_METADATA)[0], token)) {
      this.#refuse(stream, status.UNAUTHENTICATED, "this isn't the token that the worker was started with");
    } else {
      this.#token = undefined;
      this.#admit(stream);
    }
  }

  #refuse(stream: HostStream, code: number, details: string): void {
    this.#refused += 1;
    // How this package wants to be told of a call's status.
    stream.emit("error", { code, details });
  }
}

function isToken(shown: string | Buffer | undefined, token: Buffer): boolean {
  const bytes = Buffer.from(shown ?? "");
  return bytes.length === token.length && timingSafeEqual(bytes, token);
}
