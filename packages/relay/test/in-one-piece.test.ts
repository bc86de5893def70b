/** Answers in one piece, where stream intercepts must see all that its client may read as a stream. */
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { EventCheck, oneValue } from "../src/model-proxy/in-one-piece.ts";

const unread = (cause: unknown): Error => new Error("unread", { cause });

async function* parts(...texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text);
}

test("what isn't packed as it says is told at once, and doesn't hang", async () => {
  const check = new EventCheck("gzip", unread);
  await expect(check.passes(Buffer.from('{"id":1}'))).rejects.toThrow("unread");
  await expect(check.passes(Buffer.from("more"))).rejects.toThrow("unread");
  check.close();
  const packed = new EventCheck("gzip", unread);
  expect(await packed.passes(gzipSync('{"id":1}'))).toBe(true);
  packed.close();
});

test("a name that says that nothing is packed is taken at its word", async () => {
  for (const encoding of [undefined, "identity", "none", "utf-8"])
    expect(await new EventCheck(encoding, unread).passes(Buffer.from('{"id":1}')), encoding).toBe(true);
  expect(() => new EventCheck("rot13", unread)).toThrow("unread");
});

test("a line of events is found wherever it begins, and a text behind U+2028 is none", async () => {
  const passes = (text: string) => new EventCheck(undefined, unread).passes(Buffer.from(text));
  for (const text of ["data: x", '{}\ndata: x"', "\r data : x", "\uFEFFdata:"])
    expect(await passes(text), text).toBe(false);
  expect(await passes('{"text":"line\u2028data: y"}')).toBe(true);
});

test("blanks that keep a connection alive are no answer yet: the value behind them is", async () => {
  const whole = await oneValue(parts("\uFEFF", "\n   \n", ' {"id":', "1}"), unread);
  expect(whole.toString()).toContain('{"id":1}');
  expect((await oneValue(parts("\n", " "), unread)).toString()).toBe("\n ");
  await expect(oneValue(parts("\n", "<html>", "…"), unread)).rejects.toThrow("unread");
});
