/** Both ends of a worker's stream write more than there is room for between them, at once: neither may wait for the other's reading. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import {
  type ClientHttp2Session,
  connect as connectHttp2,
  createServer,
  type ServerHttp2Stream,
} from "node:http2";
import { connect, createServer as listenTo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { BatchStream } from "../../src/carriers/worker/batch-stream.ts";
import { acceptedHeaders, attachHeaders, type Windows, windowsOn } from "../../src/carriers/worker/grpc.ts";

/** What the system holds of a socket's bytes that nobody has read: of one on macOS, 8 KiB. */
const HELD_BYTES = 8 * 1024;

/** One end of a socket that holds so much each way. What is read ahead counts. */
class Narrow extends Duplex {
  readonly #peer: () => Narrow;
  #held = Buffer.alloc(0);
  #rest: Buffer = Buffer.alloc(0);
  #written: (() => void) | undefined;
  #wanted = false;

  constructor(peer: () => Narrow) {
    super({ highWaterMark: 1 });
    this.#peer = peer;
  }

  static pair(): readonly [Narrow, Narrow] {
    const near: Narrow = new Narrow(() => far);
    const far: Narrow = new Narrow(() => near);
    return [near, far];
  }

  override _write(chunk: Buffer, _encoding: string, written: () => void): void {
    this.#rest = chunk;
    this.#written = written;
    this.#move();
  }

  override _read(): void {
    this.#wanted = true;
    this.#peer().#give();
  }

  #move(): void {
    const moved = this.#rest.subarray(0, HELD_BYTES / 2 - this.#held.length);
    this.#held = Buffer.concat([this.#held, moved]);
    this.#rest = this.#rest.subarray(moved.length);
    if (this.#rest.length === 0 && this.#written !== undefined) {
      setImmediate(this.#written);
      this.#written = undefined;
    }
    this.#give();
  }

  /** In a turn of its own, as a system would. */
  #give(): void {
    setImmediate(() => {
      const peer = this.#peer();
      if (!peer.#wanted || this.#held.length === 0) return;
      const given = this.#held;
      this.#held = Buffer.alloc(0);
      peer.#wanted = false;
      peer.push(given);
      this.#move();
    });
  }
}

interface Ends extends AsyncDisposable {
  readonly host: BatchStream;
  readonly worker: BatchStream;
}

/** A worker's stream over these two ends of a socket, as host and worker open it. */
async function attach(near: Duplex, far: Duplex, { settings, connectionBytes }: Windows): Promise<Ends> {
  const server = createServer({ settings });
  server.on("session", (session) => session.setLocalWindowSize(connectionBytes));
  server.emit("connection", far);
  const client: ClientHttp2Session = connectHttp2("http://localhost", {
    createConnection: () => near,
    settings,
  });
  client.once("connect", () => client.setLocalWindowSize(connectionBytes));
  const call = client.request(attachHeaders("token"), { endStream: false });
  const [stream]: ServerHttp2Stream[] = await once(server, "stream");
  if (stream === undefined) throw new Error("there is a stream");
  stream.respond(acceptedHeaders);
  await once(call, "response");
  for (const one of [call, stream, client]) one.on("error", () => undefined);
  return {
    host: new BatchStream(stream, "host"),
    worker: new BatchStream(call, "worker"),
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      near.destroy();
      far.destroy();
      server.close();
    },
  };
}

/** Both write all of it before either has read any. */
async function exchange({ host, worker }: Ends): Promise<readonly number[]> {
  const heard = [worker, host].map((end) => {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    let bytes = 0;
    end.listen({
      batch: (frames) => {
        for (const { byteLength } of frames) bytes += byteLength;
        if (bytes >= TOTAL_BYTES) resolve(bytes);
      },
      unreadable: reject,
      ended: () => reject(new Error(`it ended after ${bytes} bytes`)),
    });
    return promise;
  });
  const frame = new Uint8Array(FRAME_BYTES);
  for (let written = 0; written < TOTAL_BYTES; written += FRAME_BYTES) {
    host.write({ frames: [frame] });
    worker.write({ frames: [frame] });
  }
  return await Promise.all(heard);
}

const FRAME_BYTES = 64 * 1024;
const TOTAL_BYTES = 32 * FRAME_BYTES;

test("through a socket that holds 8 KiB, as on macOS", { timeout: 30_000 }, async () => {
  const [near, far] = Narrow.pair();
  await using ends = await attach(near, far, windowsOn("darwin"));
  expect(await exchange(ends)).toEqual([TOTAL_BYTES, TOTAL_BYTES]);
});

test("through a socket of this system", { timeout: 30_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "troupe-writers-"));
  const socket = join(folder, "s");
  const server = listenTo().listen(socket);
  await once(server, "listening");
  const near = connect(socket);
  const [far]: Duplex[] = await once(server, "connection");
  if (far === undefined) throw new Error("there is a connection");
  await using ends = await attach(near, far, windowsOn(process.platform));
  expect(await exchange(ends)).toEqual([TOTAL_BYTES, TOTAL_BYTES]);
  server.close();
  await rm(folder, { recursive: true });
});
