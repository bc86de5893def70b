/** What every `Transport` driver must do. Call it in a test file: it registers stories with vitest. */
import { TroupeError } from "@troupe/base";
import { expect, test } from "vitest";
import type { Link, LinkHandler, Message, Transport } from "../../packages/runtime/src/ports/transport.ts";

/** A driver, and an address that nobody listens at yet. */
export interface TransportUnderTest extends AsyncDisposable {
  readonly transport: Transport;
  readonly address: string;
  /** Breaks every link without a word. Absent where the driver can't. */
  breakAll?(): void;
}

/** Collects what a link brings, and lets a test wait for it. */
class Inbox implements LinkHandler {
  readonly messages: Message[] = [];
  readonly closes: { code: number; reason: string }[] = [];
  #changed: (() => void)[] = [];

  message(data: Message): void {
    expect(this.closes, "nothing comes after the close").toEqual([]);
    this.messages.push(data);
    this.#tell();
  }

  closed(code: number, reason: string): void {
    this.closes.push({ code, reason });
    this.#tell();
  }

  async until(condition: (inbox: Inbox) => boolean): Promise<void> {
    while (!condition(this)) await new Promise<void>((resolve) => this.#changed.push(resolve));
  }

  #tell(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const resolve of changed) resolve();
  }
}

interface Pair {
  readonly near: Link;
  readonly far: Link;
}

type Story = (title: string, run: (subject: TransportUnderTest) => Promise<void>) => void;

/** Registers the kit's stories for one driver. */
export function transportKit(driver: string, open: () => Promise<TransportUnderTest>): void {
  const story: Story = (title, run) =>
    test(`${driver} transport: ${title}`, async () => {
      await using subject = await open();
      await run(subject);
    });
  messageStories(story);
  closeStories(story);
  addressStories(story);
}

async function connect(subject: TransportUnderTest): Promise<Pair> {
  const accepted = Promise.withResolvers<Link>();
  await subject.transport.listen(subject.address, (link) => accepted.resolve(link));
  const near = await subject.transport.dial(subject.address);
  return { near, far: await accepted.promise };
}

function messageStories(story: Story): void {
  story("messages arrive in order, both ways, as they were", async (subject) => {
    const { near, far } = await connect(subject);
    const atNear = new Inbox();
    const atFar = new Inbox();
    near.attach(atNear);
    far.attach(atFar);
    const sent: Message[] = [
      "",
      "text é😀",
      new Uint8Array([0, 255, 1]),
      new Uint8Array(0),
      "x".repeat(70_000),
    ];
    for (const message of sent) {
      near.send(message);
      far.send(message);
    }
    await atNear.until((inbox) => inbox.messages.length === sent.length);
    await atFar.until((inbox) => inbox.messages.length === sent.length);
    for (const inbox of [atNear, atFar]) expect(inbox.messages.map(plain)).toEqual(sent.map(plain));
  });

  story("what comes before a handler is attached waits for it", async (subject) => {
    const { near, far } = await connect(subject);
    for (let index = 0; index < 100; index += 1) near.send(`${index}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
    const inbox = new Inbox();
    far.attach(inbox);
    near.send("100");
    await inbox.until(({ messages }) => messages.length === 101);
    expect(inbox.messages).toEqual(Array.from({ length: 101 }, (_, index) => `${index}`));
  });

  story("a message never arrives inside send", async (subject) => {
    const { near, far } = await connect(subject);
    const inbox = new Inbox();
    far.attach(inbox);
    near.send("later");
    expect(inbox.messages).toEqual([]);
    await inbox.until(({ messages }) => messages.length === 1);
  });

  story("the send buffer empties", async (subject) => {
    const { near, far } = await connect(subject);
    const inbox = new Inbox();
    far.attach(inbox);
    for (let index = 0; index < 50; index += 1) near.send(new Uint8Array(10_000));
    await inbox.until(({ messages }) => messages.length === 50);
    while (near.bufferedBytes > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(near.bufferedBytes).toBe(0);
  });
}

function closeStories(story: Story): void {
  story("a close arrives after the messages before it, once, at both ends", async (subject) => {
    const { near, far } = await connect(subject);
    const atNear = new Inbox();
    const atFar = new Inbox();
    near.attach(atNear);
    near.send("last");
    near.close(4_001, "done");
    near.send("too late");
    near.close(4_002, "twice");
    far.attach(atFar);
    await atFar.until((inbox) => inbox.closes.length > 0);
    await atNear.until((inbox) => inbox.closes.length > 0);
    expect(atFar.messages).toEqual(["last"]);
    expect(atFar.closes).toEqual([{ code: 4_001, reason: "done" }]);
    expect(atNear.closes).toHaveLength(1);
    far.send("into the void");
    far.close(1_000, "");
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(atFar.closes).toHaveLength(1);
    expect(atNear.closes).toHaveLength(1);
  });

  story("a broken link ends both ends with 1006", async (subject) => {
    if (subject.breakAll === undefined) return;
    const { near, far } = await connect(subject);
    const inboxes = [new Inbox(), new Inbox()] as const;
    near.attach(inboxes[0]);
    far.attach(inboxes[1]);
    subject.breakAll();
    for (const inbox of inboxes) {
      await inbox.until(({ closes }) => closes.length > 0);
      expect(inbox.closes.map(({ code }) => code)).toEqual([1006]);
    }
  });
}

function addressStories(story: Story): void {
  story("dialling where nobody listens fails", async ({ transport, address }) => {
    expect(await codeOf(transport.dial(address))).toBe("transport.unreachable");
  });

  story("an address has one listener, and is free when it has gone; open links stay", async (subject) => {
    const { transport, address } = subject;
    const links: Link[] = [];
    const listener = await transport.listen(address, (link) => links.push(link));
    expect(await codeOf(transport.listen(address, () => {}))).toBe("transport.address_in_use");
    const near = await transport.dial(address);
    const inbox = new Inbox();
    near.attach(inbox);
    await listener.close();
    expect(await codeOf(transport.dial(address))).toBe("transport.unreachable");
    while (links.length === 0) await new Promise((resolve) => setImmediate(resolve));
    links[0]?.send("still here");
    await inbox.until(({ messages }) => messages.length === 1);
    const second = await transport.listen(address, () => {});
    await second.close();
  });
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const outcome = await promise.then(
    () => "nothing",
    (error: unknown) => error,
  );
  return TroupeError.is(outcome) ? `${outcome.group}.${outcome.code}` : String(outcome);
}

function plain(message: Message): string | number[] {
  return typeof message === "string" ? message : Array.from(message);
}
