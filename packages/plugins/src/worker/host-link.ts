/**
 * Host link: a worker's end of the connection to its host.
 *
 * The host has left two environment variables: where it listens, and the descriptor that the token is read from. That
 * descriptor stays open behind the token: its end is the host's, and then nobody is left to work for.
 */
import { Socket } from "node:net";
import {
  type HostBatch,
  type HostFrame,
  HostFrameCodec,
  type PluginFrame,
  PluginFrameCodec,
  WORKER_METHOD,
  WORKER_TOKEN_METADATA,
} from "@troupe/protocol/plugin/v1";
import { FrameQueue } from "../carriers/worker/frame-queue.ts";
import { channelOptions, importGrpc, type WorkerStream, workerService } from "../carriers/worker/grpc.ts";
import { workerHandover } from "../carriers/worker/handover.ts";
import { workerErrors } from "../errors.ts";

/** What a worker hears of its host. */
export interface HostEvents {
  frame(frame: HostFrame): void;
  /** The host is gone, has closed the connection or refused it, which is an error then: once, and last. */
  ended(error?: Error): void;
}

/** An open connection to the host. */
export interface HostLink {
  send(frame: PluginFrame): void;
  /** Sends what waits, then ends the connection. */
  end(): void;
}

/** Connects to the host that started this process. Throws `plugin.no_host`, `package.missing`. */
export async function connectToHost(events: HostEvents): Promise<HostLink> {
  const { address, token } = await takeHandover(events);
  const grpc = await importGrpc();
  const { attach } = workerService;
  const client = new grpc.Client(`unix:${address}`, grpc.credentials.createInsecure(), channelOptions);
  const metadata = new grpc.Metadata();
  metadata.set(WORKER_TOKEN_METADATA, token);
  const stream: WorkerStream = client.makeBidiStreamRequest(
    WORKER_METHOD,
    attach.requestSerialize,
    attach.responseDeserialize,
    metadata,
  );
  return new OpenLink(stream, events);
}

class OpenLink implements HostLink {
  readonly #stream: WorkerStream;
  readonly #events: HostEvents;
  readonly #queue: FrameQueue;
  #ended = false;

  constructor(stream: WorkerStream, events: HostEvents) {
    this.#stream = stream;
    this.#events = events;
    this.#queue = new FrameQueue(stream, () => this.#finish());
    stream.on("data", (batch: HostBatch) => {
      for (const bytes of batch.frames) events.frame(HostFrameCodec.decode(bytes));
    });
    stream.on("error", (error) => this.#finish(error));
    stream.on("end", () => this.#finish());
  }

  send(frame: PluginFrame): void {
    this.#queue.push(PluginFrameCodec.encode(frame));
  }

  end(): void {
    this.#queue.flush();
    this.#stream.end();
  }

  #finish(error?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#queue.close();
    this.#events.ended(error);
  }
}

/** The address and the token. They are taken out of the environment: what the plugin starts isn't to know them. */
async function takeHandover(events: HostEvents): Promise<{ address: string; token: string }> {
  const address = process.env[workerHandover.socket];
  const descriptor = Number(process.env[workerHandover.tokenFd]);
  if (address === undefined || !Number.isInteger(descriptor)) throw workerErrors.noHost();
  delete process.env[workerHandover.socket];
  delete process.env[workerHandover.tokenFd];
  const socket = new Socket({ fd: descriptor, readable: true, writable: false });
  socket.setEncoding("utf8");
  let text = "";
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
    text += String(chunk);
    if (text.includes("\n")) break;
  }
  socket.on("close", () => events.ended());
  socket.resume();
  return { address, token: text.trimEnd() };
}
