/** What an actor in every language does with raw WebSockets, also with those that stay open while it sleeps. */
import type { UniversalWebSocket } from "@troupe/client";
import { expect, type TestContext, test } from "vitest";
import { type ActorUnderTest, serve } from "./actor-kit.ts";

/** Registers the story of raw WebSockets. */
export function actorSocketKit(subject: string, find: () => Promise<ActorUnderTest>): void {
  test(`${subject} actor: raw WebSockets`, { timeout: 290_000 }, async (context: TestContext) => {
    await using served = await serve(find, context);
    const { handle } = served;
    const heard: unknown[] = [];
    const closed = Promise.withResolvers<number>();
    const socket = await handle.webSocket("/chat");
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      heard.push(typeof data === "string" ? data : new Uint8Array(data as ArrayBuffer));
      if (heard.length === 1) socket.send("one");
      if (heard.length === 2) socket.send(Uint8Array.of(1, 2, 3));
      if (heard.length === 3) socket.send("");
      if (heard.length === 4) socket.send("bye");
    };
    socket.onclose = ({ code }) => closed.resolve(code);
    expect(await closed.promise).toBe(4000);
    expect(heard).toEqual(["welcome", "one!", Uint8Array.of(1, 2, 3), "!"]);
    expect(await handle.action({ name: "get", args: ["heard"] })).toBe("");
    const failing = await handle.webSocket("/chat");
    const failed = Promise.withResolvers<readonly [number, string]>();
    failing.onopen = () => failing.send("fail");
    failing.onclose = ({ code, reason }) => failed.resolve([code, reason]);
    expect(await failed.promise).toEqual([1011, "user.told_to"]);
  });
}

/** One that says each thing in turn: `say` gives what the actor answers. */
async function talk(socket: UniversalWebSocket) {
  const heard: string[] = [];
  let waits: ((said: string) => void) | undefined;
  const ended = Promise.withResolvers<readonly [number, string]>();
  socket.onclose = ({ code, reason }) => ended.resolve([code, reason]);
  socket.onmessage = ({ data }) => {
    if (waits === undefined) heard.push(String(data));
    else waits(String(data));
    waits = undefined;
  };
  const next = async (): Promise<string> => {
    const waiting = heard.shift();
    if (waiting !== undefined) return waiting;
    const later = new Promise<string>((resolve) => {
      waits = resolve;
    });
    const over = ended.promise.then((end) => {
      throw new Error(`it ended: ${end.join(" ")}`);
    });
    return await Promise.race([later, over]);
  };
  expect(await next()).toBe("welcome");
  return {
    socket,
    ended: ended.promise,
    say: async (text: string): Promise<string> => {
      socket.send(text);
      return await next();
    },
  };
}

/** Registers the story of raw sockets that stay: `find` gives one that sleeps as soon as it is idle. */
export function actorSocketSleepKit(subject: string, find: () => Promise<ActorUnderTest>): void {
  test(`${subject} actor: raw sockets stay while it sleeps, with their state, and a message wakes it`, {
    timeout: 290_000,
  }, async (context: TestContext) => {
    await using served = await serve(find, context);
    const { handle } = served;
    const act = (name: string, ...args: unknown[]) => handle.action({ name, args });
    const [ann, bob] = [
      await talk(await handle.webSocket("/ann")),
      await talk(await handle.webSocket("/bob")),
    ];
    expect([await ann.say("mark 1"), await bob.say("mark 1")]).toEqual([
      "mark 1 /ann 1 1",
      "mark 1 /bob 1 1",
    ]);
    expect(await act("sockets")).toEqual(["/ann", "/bob"]);
    // Whoever says something seldom enough is heard by another activation, which has each message once.
    const marks = ["mark 1 /ann 1 1"];
    const mark = async (): Promise<number> => {
      const said = await ann.say(`mark ${marks.length + 1}`);
      marks.push(said);
      return Number(said.split(" ").at(-1));
    };
    await expect.poll(mark, { timeout: 60_000, interval: 500 }).toBeGreaterThan(1);
    expect(await bob.say("mark 2")).toMatch(/^mark 2 \/bob 2 /);
    // One that leaves while the actor sleeps is told of when it wakes.
    bob.socket.close(4001, "enough");
    await bob.ended;
    await expect.poll(() => act("sockets"), { timeout: 60_000, interval: 500 }).toEqual(["/ann"]);
    expect(await act("get", "gone")).toBe("/bob");
    await mark();
    expect(marks).toEqual(
      marks.map((_, at) => expect.stringMatching(new RegExp(`^mark ${at + 1} /ann ${at + 1} \\d+$`))),
    );
    ann.socket.send("bye");
    expect(await ann.ended).toEqual([4000, "bye"]);
    await expect.poll(() => act("sockets"), { timeout: 60_000 }).toEqual([]);
  });
}
