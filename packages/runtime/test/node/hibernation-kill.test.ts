/** kill -9 of a server whose actor sleeps under its sockets: nothing acknowledged is lost, and everybody is told. */
import { createClient } from "@troupe/client";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { temporaryDirectory } from "../storage/test-env.ts";
import type { Hibernating } from "./hibernation-child.ts";
import { ServerProcess } from "./server-process.ts";

/** A raw client that counts what it hears. */
class Raw {
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #open: Promise<unknown>;

  constructor(port: number | undefined) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/actor/room/websocket/?troupe-key=a`);
    this.#open = new Promise((resolve) => this.#socket.once("open", resolve));
    this.closed = new Promise((resolve) => this.#socket.once("close", resolve));
  }

  /** Settles with the reply. */
  async say(text: string): Promise<string> {
    await this.#open;
    const reply = new Promise<string>((resolve) =>
      this.#socket.once("message", (data) => resolve(String(data))),
    );
    this.#socket.send(text);
    return await reply;
  }
}

test("kill -9 under sleeping sockets: the raw one hears 1006, the client's connection comes back, what was answered is there", async () => {
  using directory = temporaryDirectory();
  const first = new ServerProcess("hibernation-child.ts", directory.path);
  using _ = first;
  const { port } = await first.heard("port");
  await using client = createClient<Hibernating>(`http://127.0.0.1:${port}`);
  const conn = client.room.getOrCreate(["a"], { params: { name: "ann" } }).connect();
  const raw = new Raw(port);
  await conn.say("one");
  expect(await raw.say("two")).toBe("heard two");
  await first.heard("asleep");
  // Over the same sockets, to the next activation.
  await conn.say("three");
  expect(await raw.say("four")).toBe("heard four");
  expect(await first.ended("SIGKILL")).toEqual([null, "SIGKILL"]);
  expect(await raw.closed).toBe(1006);
  const second = new ServerProcess("hibernation-child.ts", directory.path, `${port}`);
  using __ = second;
  await second.heard("port");
  const after = new Raw(port);
  // What was numbered belonged to a socket that is gone: a new one begins anew.
  expect(await after.say("five")).toBe("heard five");
  await conn.say("six");
  await expect.poll(async () => (await conn.all()).left.length).toBe(2);
  const { said, left } = await conn.all();
  expect(said).toEqual(["one", "1 two", "three", "2 four", "1 five", "six"]);
  expect(left.sort()).toEqual(["ann", "raw"]);
}, 60_000);
