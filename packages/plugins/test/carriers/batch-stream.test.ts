/** gRPC as host and worker speak it, over a real socket, with a client that sends whatever it likes. */
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineLimits } from "@troupe/protocol";
import { PluginBatchCodec } from "@troupe/protocol/plugin/v1";
import fc from "fast-check";
import { expect, test } from "vitest";
import { BatchStream } from "../../src/carriers/worker/batch-stream.ts";
import { attachHeaders, failureOf } from "../../src/carriers/worker/grpc.ts";
import { WorkerServer } from "../../src/carriers/worker/worker-server.ts";

class Story implements AsyncDisposable {
  readonly server: WorkerServer;
  readonly client: ClientHttp2Session;
  readonly #folder: string;

  private constructor(folder: string, socket: string, server: WorkerServer) {
    this.#folder = folder;
    this.server = server;
    this.client = connectHttp2("http://localhost", { createConnection: () => connect(socket) });
  }

  static async open(): Promise<Story> {
    const folder = await mkdtemp(join(tmpdir(), "troupe-batches-"));
    const socket = join(folder, "host.sock");
    return new Story(folder, socket, await WorkerServer.listen({ socket, token: "secret" }));
  }

  call(token: string): ClientHttp2Stream {
    return this.client.request(attachHeaders(token), { endStream: false });
  }

  /** Both ends of a call that was let in, and what the host has heard of it. */
  async attached() {
    const call = this.call("secret");
    const host = await this.server.attached;
    return { call, host, heard: new Heard(host) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.client.destroy();
    this.server.close();
    await rm(this.#folder, { recursive: true });
  }
}

class Heard {
  readonly frames: Uint8Array[] = [];
  readonly over = Promise.withResolvers<Error | "ended">();
  #waiting: { count: number; resolve: () => void } | undefined;

  constructor(stream: BatchStream) {
    stream.listen({
      batch: (frames) => {
        this.frames.push(...frames);
        if (this.frames.length >= (this.#waiting?.count ?? Infinity)) this.#waiting?.resolve();
      },
      unreadable: this.over.resolve,
      ended: () => this.over.resolve("ended"),
    });
  }

  async count(count: number): Promise<readonly Uint8Array[]> {
    if (this.frames.length < count) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = { count, resolve };
      await promise;
    }
    return this.frames;
  }
}

/** A message of gRPC, from what its head says and what follows. */
function message(body: Uint8Array, { flag = 0, length = body.byteLength } = {}): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flag;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, body]);
}

test("frames are whole and in order however their messages are cut", async () => {
  await using story = await Story.open();
  const { call, heard } = await story.attached();
  const frame = fc.uint8Array({ maxLength: 300 });
  const batches = fc.array(fc.array(frame, { maxLength: 4 }), { minLength: 1, maxLength: 8 });
  let told = 0;
  await fc.assert(
    fc.asyncProperty(batches, fc.array(fc.nat(40), { maxLength: 40 }), async (given, cuts) => {
      const bytes = Buffer.concat(given.map((frames) => message(PluginBatchCodec.encode({ frames }))));
      let at = 0;
      for (const cut of cuts) {
        call.write(bytes.subarray(at, at + cut));
        at += cut;
      }
      call.write(bytes.subarray(at));
      const frames = given.flat();
      const all = await heard.count(told + frames.length);
      expect(all.slice(told).map((one) => Buffer.from(one))).toEqual(frames.map((one) => Buffer.from(one)));
      told = all.length;
    }),
    { numRuns: 60 },
  );
});

test("a frame that is longer than any window crosses, each way", async () => {
  await using story = await Story.open();
  const { call, host, heard } = await story.attached();
  const worker = new BatchStream(call, "worker");
  const answered = new Heard(worker);
  const frame = Buffer.alloc(5_000_000, "a frame");
  worker.write({ frames: [frame] });
  const [there = NONE] = await heard.count(1);
  expect(frame.equals(there)).toBe(true);
  host.write({ frames: [there] });
  const [back = NONE] = await answered.count(1);
  expect(frame.equals(back)).toBe(true);
});

const NONE = new Uint8Array(0);

const tooLong = engineLimits.workerMessageBytes + 1;

test.each([
  ["that is compressed", message(NONE, { flag: 1 }), "compressed"],
  ["that is longer than may be", message(NONE, { length: tooLong }), `${tooLong} bytes`],
  ["that is no batch", message(Buffer.from([0x0a, 2, 0xff])), "too early"],
])("a message %s ends the stream, and says why", async (_what, bytes, why) => {
  await using story = await Story.open();
  const { call, heard } = await story.attached();
  const reset = once(call, "close");
  call.on("error", () => undefined).write(bytes);
  expect(await heard.over.promise).toMatchObject({ message: expect.stringContaining(why) });
  await reset;
  expect(heard.frames).toEqual([]);
});

test("an end in the middle of a message is an end", async () => {
  await using story = await Story.open();
  const { call, heard } = await story.attached();
  call.end(message(Buffer.from("half"), { length: 8 }));
  expect(await heard.over.promise).toBe("ended");
});

test("the host's end comes behind what it wrote, with a status", async () => {
  await using story = await Story.open();
  const { call, host } = await story.attached();
  const answered = new Heard(new BatchStream(call, "worker"));
  const trailers = once(call, "trailers");
  host.write({ frames: [Buffer.from("goodbye")] });
  host.end();
  expect((await trailers)[0]).toMatchObject({ "grpc-status": "0" });
  expect(await answered.over.promise).toBe("ended");
  expect(answered.frames.map(String)).toEqual([String(new Uint8Array(Buffer.from("goodbye")))]);
});

test("another method, another token and a second worker are refused in gRPC's words", async () => {
  await using story = await Story.open();
  const refusal = async (call: ClientHttp2Stream): Promise<string | undefined> => {
    const [headers] = await once(call, "response");
    return failureOf(headers)?.message;
  };
  const other = story.client.request({ ":method": "POST", ":path": "/grpc.health.v1.Health/Check" });
  expect(await refusal(other)).toContain("there is one method, /troupe.plugin.v1.WorkerHost/Attach");
  expect(await refusal(story.call("another"))).toContain("isn't the token that the worker was started with");
  const { call } = await story.attached();
  expect(await refusal(call)).toBeUndefined();
  expect(await refusal(story.call("secret"))).toContain("connected already (gRPC status 6)");
  expect(story.server.refused).toBe(3);
});
