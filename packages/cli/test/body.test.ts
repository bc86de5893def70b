/** Bodies of requests. */
import { PassThrough, Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { contentOf, readBody } from "@troupe/relay/model-proxy";
import { expect, test } from "vitest";

function body(...sizes: number[]): Readable {
  return Readable.from(sizes.map((size) => Buffer.alloc(size, "x")));
}

test("a body is read whole up to its limit, and not past it", async () => {
  expect((await readBody(body(2, 3), 5)).toString()).toBe("xxxxx");
  const endless = Readable.from(
    (function* () {
      for (;;) yield Buffer.alloc(3);
    })(),
  );
  await expect(readBody(endless, 5)).rejects.toMatchObject({
    code: "body_too_large",
    statusCode: 413,
    metadata: { limit: 5 },
  });
});

test.each([
  ['{"a":[1]}', undefined, { a: [1] }],
  ['{"a":[1]}', "identity", { a: [1] }],
  ['\ufeff{"a":[1]}', undefined, { a: [1] }],
  ['{"a":[1]}', "gzip", undefined],
  ["not JSON", undefined, undefined],
  ["", undefined, undefined],
  ["null", undefined, null],
])("the content of %j, encoded as %s", async (text, encoding, content) => {
  const { isRead, ...read } = await contentOf(Buffer.from(text), encoding, 100);
  expect({ isRead, content: read.content }).toEqual({
    isRead: content !== undefined,
    content: content ?? null,
  });
});

test("a packed body is unpacked up to its limit, and not past it", async () => {
  const body = gzipSync('"12345678"');
  expect(await contentOf(body, "gzip", 10)).toEqual({ content: "12345678", isRead: true, length: 10 });
  expect(await contentOf(body, "gzip", 9)).toMatchObject({ content: null, isRead: false });
});

test("a body whose client leaves is cut, whatever its connection says of it", async () => {
  const left = new PassThrough();
  left.write("{");
  const read = expect(readBody(left, 10)).rejects.toMatchObject({ code: "body_cut", statusCode: 499 });
  left.destroy(new Error("aborted"));
  await read;
});
