/** What is odd in a stream that intercepts go around: what its client gets of it all the same. */
import { expect, test } from "vitest";
import { got } from "./support/seen-stream.ts";

const good = 'data: {"a":"good"}\n\n';

test.each([
  ["with it", [`${good}data: {bad\n\n`]],
  ["before it", [good, "data: {bad\n\n"]],
])("a good chunk that came %s is passed on before what is no JSON cuts the stream", async (_how, parts) => {
  expect(await got({ parts })).toEqual({ status: 200, said: good, isWhole: false });
});

test("the last word may have something behind it, as its clients read it", async () => {
  const end = { said: `${good}data: [DONE]\n\n`, isWhole: true };
  expect(await got({ parts: [`${good}data: [DONE] \n\n`] })).toMatchObject(end);
});

test("comments and retries stay where they are, also where chunks are changed", async () => {
  const of = (word: string) =>
    `: begin\n\nretry: 7\n\ndata: {"a":"${word}"}\n\n: wait\n\ndata: {"b":"${word}"}\n\n: end\n\n`;
  for (const parts of [[of("good")], of("good").match(/.{1,5}/gs) ?? []]) {
    expect(await got({ parts })).toEqual({ status: 200, said: of("good"), isWhole: true });
    expect(await got({ parts }, true)).toEqual({ status: 200, said: of("GOOD"), isWhole: true });
  }
});

test("a packed answer of nothing is nothing", async () => {
  for (const encoding of ["gzip", "br", "zstd", "deflate"]) {
    const headers = { "content-encoding": encoding };
    expect(await got({ parts: [], headers })).toEqual({ status: 200, said: "", isWhole: true });
  }
});

test.each([
  ["that its type doesn't say", 'event: part\ndata: {"a":"good"}', 'event: part\ndata: {"a":"GOOD"}'],
  ["beside its type", 'event: x\ndata: {"type":"y","a":"good"}', 'event: x\ndata: {"type":"y","a":"GOOD"}'],
  ["or none", 'data: {"type":"y","a":"good"}', 'data: {"type":"y","a":"GOOD"}'],
  ["but of a new type", 'event: good\ndata: {"type":"good"}', 'event: GOOD\ndata: {"type":"GOOD"}'],
])("a changed chunk keeps the name of its event, %s", async (_what, came, expected) => {
  expect((await got({ parts: [`${came}\n\n`] }, true)).said).toBe(`${expected}\n\n`);
});

test("a stream that wasn't asked for is refused where an intercept would have to see it", async () => {
  const { status, said } = await got({ parts: [good] }, false, { body: "{}" });
  expect(status).toBe(502);
  expect(JSON.parse(said).error).toMatchObject({ code: "gateway.stream_unasked" });
});

test("a refusal is no stream, whatever it begins like; one that says that it is one is", async () => {
  const refused = { parts: [good], status: 429 };
  expect(await got({ ...refused, headers: { "content-type": "text/plain" } }, true)).toMatchObject({
    ...{ status: 429, said: good },
  });
  expect(await got(refused, true)).toMatchObject({ status: 429, said: good.replace("good", "GOOD") });
});

test("an error in JSON goes on as it is, also where it calls itself a stream, to who asked for one and who didn't", async () => {
  const refused = { parts: ['{"error":', '{"message":"bad key"}}'], status: 401 };
  const said = { status: 401, said: '{"error":{"message":"bad key"}}' };
  expect(await got(refused, true)).toMatchObject(said);
  expect(await got(refused, true, { body: "{}" })).toMatchObject(said);
  const junk = await got({ parts: ['{"error":\n', good], status: 401 }, true);
  expect(junk.status).toBe(502);
});

test("an event with nothing in it, which keeps a connection alive, stays where it is", async () => {
  const parts = [`data:\n\n${good}event: ping\ndata: \n\n`];
  const said = (word: string) => `data:\n\ndata: {"a":"${word}"}\n\nevent: ping\ndata:\n\n`;
  expect(await got({ parts })).toEqual({ status: 200, said: said("good"), isWhole: true });
  expect(await got({ parts }, true)).toEqual({ status: 200, said: said("GOOD"), isWhole: true });
});
