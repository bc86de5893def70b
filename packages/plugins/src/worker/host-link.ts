/**
 * Host link: a worker's end of the connection to its host.
 *
 * The host has left two environment variables: where it listens, and the descriptor that the token is read from. That
 * descriptor stays open behind the token: its end is the host's, and then nobody is left to work for.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  type IncomingHttpHeaders,
} from "node:http2";
import { connect, Socket } from "node:net";
import {
  type HostFrame,
  HostFrameCodec,
  type PluginFrame,
  PluginFrameCodec,
} from "@troupe/protocol/plugin/v1";
import { BatchStream } from "../carriers/worker/batch-stream.ts";
import { FrameQueue } from "../carriers/worker/frame-queue.ts";
import { attachHeaders, failureOf, windows } from "../carriers/worker/grpc.ts";
import { workerHandover } from "../carriers/worker/handover.ts";
import { pluginErrors } from "../errors.ts";
import { leaveSignalsToHost } from "./host-ends-it.ts";

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

/** Connects to the host that started this process. Throws `plugin.no_host`. */
export async function connectToHost(events: HostEvents): Promise<HostLink> {
  const { address, token } = await takeHandover(events);
  const { settings, connectionBytes } = windows;
  const session = connectHttp2("http://localhost", { createConnection: () => connect(address), settings });
  session.once("connect", () => session.setLocalWindowSize(connectionBytes));
  return new OpenLink(session, session.request(attachHeaders(token), { endStream: false }), events);
}

class OpenLink implements HostLink {
  readonly #stream: BatchStream;
  readonly #events: HostEvents;
  readonly #queue: FrameQueue;
  #ended = false;

  constructor(session: ClientHttp2Session, call: ClientHttp2Stream, events: HostEvents) {
    this.#stream = new BatchStream(call, "worker");
    this.#events = events;
    this.#queue = new FrameQueue(this.#stream, () => this.#finish());
    const failed = (error: Error | undefined): void => {
      if (error !== undefined) this.#finish(error);
    };
    session.on("error", failed);
    call.on("error", failed);
    for (const answer of ["response", "trailers"] as const)
      call.on(answer, (headers: IncomingHttpHeaders) => failed(failureOf(headers)));
    this.#stream.listen({
      batch: (frames) => {
        for (const bytes of frames) events.frame(HostFrameCodec.decode(bytes));
      },
      unreadable: (cause) => this.#finish(cause),
      ended: () => this.#finish(),
    });
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
  if (address === undefined || !Number.isInteger(descriptor)) throw pluginErrors.noHost();
  leaveSignalsToHost();
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
