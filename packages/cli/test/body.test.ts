/** Bodies of requests. */
import { Readable } from "node:stream";
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
  ['{"a":[1]}', "gzip", null],
  ["not JSON", undefined, null],
  ["", undefined, null],
])("the content of %j, encoded as %s", (text, encoding, content) => {
  expect(contentOf(Buffer.from(text), encoding)).toEqual(content);
});
