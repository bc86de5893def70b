/** What the runtime and a worker say to each other, on its way. */
import { duplexPair } from "node:stream";
import { expect, test } from "vitest";
import { MessageLine } from "../../src/sandbox/embedded/message-line.ts";

const MOST = 1024 * 1024;

/** A message, byte by byte as it is sent. */
async function sent(message: unknown): Promise<Buffer> {
  const [near, far] = duplexPair();
  new MessageLine(near, { heard: () => undefined, broken: () => undefined, most: 0 }).send(message);
  near.end();
  return Buffer.concat(await far.toArray());
}

/** What is heard of these pieces, and how often the line broke. */
async function heard(pieces: readonly Uint8Array[]): Promise<{ heard: unknown[]; broken: number }> {
  const [near, far] = duplexPair();
  const all: unknown[] = [];
  let broken = 0;
  new MessageLine(near, {
    heard: (message) => void all.push(message),
    broken: () => {
      broken += 1;
    },
    most: MOST,
  });
  for (const piece of pieces) await new Promise<void>((resolve) => void far.write(piece, () => resolve()));
  return { heard: all, broken };
}

test("a message arrives as it was, however its bytes come: short and long contents, none, the same one twice", async () => {
  const long = new Uint8Array(10_000).map((_, n) => n);
  const messages = [
    { sandbox: 1, image: undefined, env: { PATH: "/bin" } },
    {
      image: [
        ["/a", { content: long }],
        ["/b", { content: new Uint8Array(0) }],
        ["/c", { content: long }],
      ],
    },
    { short: Uint8Array.of(1, 2, 3), part: long.subarray(5_000, 9_500), at: new Date(5) },
  ];
  const bytes = Buffer.concat(await Promise.all(messages.map(sent)));
  expect(await heard([bytes])).toEqual({ heard: messages, broken: 0 });
  for (const size of [1, 7, 4_096]) {
    const pieces = Array.from({ length: Math.ceil(bytes.byteLength / size) }, (_, n) =>
      bytes.subarray(n * size, (n + 1) * size),
    );
    expect(await heard(pieces)).toEqual({ heard: messages, broken: 0 });
  }
});

test("one that is too long, or that nobody can read, breaks the line once; no room is made for it", async () => {
  const good = await sent("good");
  const tooLong = await sent(new Uint8Array(MOST));
  const many = Buffer.from(Uint32Array.of(10, 2 ** 31).buffer);
  const garbage = Buffer.concat([Buffer.from(Uint32Array.of(4, 0).buffer), Buffer.from("oops")]);
  for (const bad of [tooLong, many, garbage])
    expect(await heard([good, bad, good])).toEqual({ heard: ["good"], broken: 1 });
});
