/** The secret of a run: who calls with it is let in, and the provider is told it nowhere. */
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { start } from "./support/gateway-calls.ts";
import { ScriptedProvider } from "./support/provider.ts";

const token = "a-secret-of-its-own";
const coded = `%61-secret%2Dof%2dits-own`;

/** What the provider gets of a request to `path`, which stands behind the gateway's origin as it is. */
async function passed(path: string, headers: Readonly<Record<string, string>> = {}) {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const gateway = await start(provider, { listen: () => undefined });
  const status = await new Promise<number>((resolve) => {
    const { port } = new URL(gateway.origin);
    const sent = request({ host: "127.0.0.1", port, path, method: "POST", headers }, (answer) => {
      void text(answer).then(() => resolve(answer.statusCode ?? 0));
    });
    sent.end('{"model":"m","messages":[]}');
  });
  await gateway[Symbol.asyncDispose]();
  const [received] = provider.received;
  return { status, url: received?.url, headers: received?.headers };
}

test.each([
  ["", "/"],
  ["/v1/messages", "/v1/messages"],
  [`/t/${token}/v1/messages`, "/v1/messages"],
  [`/v1/t/${token}/messages`, "/v1/messages"],
  [`/v1/messages?ref=/t/${token}&x=${token}&y=1`, "/v1/messages?ref=&x=&y=1"],
  [`/v1/messages?ref=http%3A%2F%2Fg%2Ft%2F${token}`, "/v1/messages?ref=http%3A%2F%2Fg%2Ft%2F"],
  [`/v1/messages?x=${coded}&y=%7E`, "/v1/messages?x=&y=%7E"],
  [`/v1/files/${coded}`, "/v1/files/"],
])("behind the secret, %j is %j to the provider", async (path, expected) => {
  expect(await passed(`/t/${token}${path}`)).toMatchObject({ status: 200, url: expected });
});

test("a page's address, a cookie, a project: what a header says beside the secret goes on", async () => {
  const said = {
    referer: `http://g/t/${token}/page?a=${coded}`,
    cookie: `a=${token}; b=2`,
    "openai-project": `${token}.proj_1`,
    "x-only": token,
    "x-note": "100%",
  };
  const { status, headers = [] } = await passed(`/t/${token}/v1/messages`, said);
  expect(status).toBe(200);
  const pairs = headers.flatMap((name, n) => (n % 2 === 0 ? [[name, headers[n + 1]] as const] : []));
  expect(Object.fromEntries(pairs)).toMatchObject({
    ...{ referer: "http://g/page?a=", cookie: "a=; b=2", "openai-project": "proj_1", "x-note": "100%" },
  });
  expect(headers).not.toContain("x-only");
});

test("a secret that is written otherwise lets nobody in", async () => {
  for (const path of [`/t/${coded}/v1/messages`, `/v1/messages?x=/t/${token}`, `/T/${token}/v1/messages`])
    expect(await passed(path)).toMatchObject({ status: 401, url: undefined });
});
