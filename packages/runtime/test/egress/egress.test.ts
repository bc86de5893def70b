/** The way out of a sandbox: what it lets through, and an attack on each of its rules. */

import { limits } from "@troupe/protocol";
import { expect, test, vi } from "vitest";
import { type Address, addressOf } from "../../src/egress/addresses.ts";
import { Egress, type NetworkConfig, type NetworkRequest } from "../../src/egress/index.ts";
import { rejection } from "../driver/watch.ts";
import { serveWeb } from "./web.ts";

const get = (url: string, rest: Partial<NetworkRequest> = {}): NetworkRequest => ({
  url,
  method: "GET",
  headers: {},
  body: undefined,
  followRedirects: true,
  timeoutMs: undefined,
  ...rest,
});
const never = () => new AbortController().signal;
const here = async (): Promise<Address[]> => [{ address: "127.0.0.1", family: 4 }];
const text = (body: Uint8Array) => new TextDecoder().decode(body);
const denied = (egress: Egress, url: string, rest?: Partial<NetworkRequest>) =>
  egress.fetch(get(url, rest), never()).then(() => "it went through", String);

test("nothing may be reached but what is named: by origin, path, port, method", async () => {
  const web = await serveWeb({ "/v1/ok": (_request, response) => response.end("yes") });
  const egress = new Egress({
    allow: [{ url: `${web.origin}/v1`, private: true, methods: ["get", "POST"] }],
  });
  const answer = await egress.fetch(get(`${web.origin}/v1/ok`), never());
  expect([answer.status, text(answer.body)]).toEqual([200, "yes"]);
  const list = "it is not on the allow list";
  for (const [url, why] of [
    [`${web.origin}/v10`, list],
    [`${web.origin}/v1/../admin`, list],
    [`${web.origin}/v1/%2e%2e/admin`, list],
    [`${web.origin}/v1/..%2fadmin`, list],
    [`https://127.0.0.1:${web.port}/v1`, list],
    ["http://127.0.0.1/v1", list],
    ["file:///etc/passwd", list],
    [`http://user:pass@127.0.0.1:${web.port}/v1/ok`, "it has a user in it"],
    ["nowhere", "it is no URL"],
  ] as const)
    expect(await denied(egress, url)).toContain(why);
  expect(await denied(egress, `${web.origin}/v1/ok`, { method: "DELETE" })).toContain(
    "DELETE is not allowed",
  );
  expect(await denied(new Egress({}), web.origin)).toContain(list);
  expect(web.asked).toHaveLength(1);
});

test.each([
  "127.0.0.1",
  "0.0.0.0",
  "10.1.2.3",
  "172.16.0.1",
  "192.168.1.1",
  "100.64.0.1",
  "169.254.169.254",
  "::1",
  "::",
  "::ffff:127.0.0.1",
  "::ffff:169.254.169.254",
  "64:ff9b::7f00:1",
  "2002:7f00:1::",
  "fe80::1",
  "fd00::1",
  "no address",
])("a name that leads to %s is refused, also beside a public address", async (address) => {
  const family = address.includes(":") ? 6 : 4;
  const resolve = async () => [
    { address: "93.184.216.34", family: 4 },
    { address, family },
  ];
  expect(await rejection(addressOf("example.com", resolve, false))).toBe("network.denied");
});

test("with `private` addresses of this machine may be reached, those of a cloud's metadata never", async () => {
  expect(await addressOf("local.test", here, true)).toEqual({ address: "127.0.0.1", family: 4 });
  expect(await addressOf("[::1]", here, true)).toEqual({ address: "::1", family: 6 });
  for (const written of [
    "169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "::a9fe:a9fe",
    "2001:0:1::",
  ])
    expect(await rejection(addressOf(written, here, true))).toBe("network.denied");
  for (const written of ["::1", "64:ff9b::7f00:1", "64:ff9b::808:808"])
    expect(await addressOf(written, here, true)).toMatchObject({ address: written });
  // As a URL is read, other ways to write an address are this one.
  expect(new URL("http://0xa9fea9fe/").hostname).toBe("169.254.169.254");
  const gone = () => Promise.reject(new Error("ENOTFOUND"));
  expect(await rejection(addressOf("gone.test", gone, true))).toBe("network.unresolved");
  expect(await rejection(addressOf("empty.test", async () => [], true))).toBe("network.unresolved");
});

test("a name is resolved once: an answer that changes behind the look leads nowhere else", async () => {
  const web = await serveWeb({ "/": (_request, response) => response.end("here") });
  const resolve = vi.fn(here);
  const egress = new Egress({ allow: [{ url: `http://rebind.test:${web.port}`, private: true }] }, resolve);
  expect(text((await egress.fetch(get(`http://rebind.test:${web.port}/`), never())).body)).toBe("here");
  expect(resolve).toHaveBeenCalledTimes(1);
  expect(web.asked[0]?.headers.host).toBe(`rebind.test:${web.port}`);
});

test("each redirect is looked at again, and goes on without what says who asks", async () => {
  const web = await serveWeb({
    "/in": (_request, response) => response.writeHead(302, { location: "/landed" }).end(),
    "/landed": (_request, response) => response.end("landed"),
    "/out": (_request, response) => response.writeHead(302, { location: "http://169.254.169.254/" }).end(),
    "/across": (_request, response) =>
      response.writeHead(307, { location: `http://b.test:${web.port}/landed` }).end(),
    "/round": (_request, response) => response.writeHead(302, { location: "/round" }).end(),
  });
  const allow = ["a", "b"].map((host) => ({ url: `http://${host}.test:${web.port}`, private: true }));
  const credentials = { KEY: { value: "s3cret", hosts: ["a.test"] } };
  const egress = new Egress({ allow, credentials }, here);
  const from = (path: string) => `http://a.test:${web.port}${path}`;
  const headers = { authorization: "Bearer mine", "x-key": egress.variables.KEY ?? "", "x-other": "kept" };
  const posted = await egress.fetch(
    get(from("/in"), { method: "POST", body: Uint8Array.of(1), headers }),
    never(),
  );
  expect([text(posted.body), posted.url]).toEqual(["landed", from("/landed")]);
  expect(web.asked.map(({ method }) => method)).toEqual(["POST", "GET"]);
  expect(web.asked[1]?.headers).toMatchObject({ authorization: "Bearer mine", "x-key": "s3cret" });
  await egress.fetch(get(from("/across"), { headers }), never());
  expect(web.asked.at(-1)?.headers).toMatchObject({ "x-other": "kept" });
  expect(web.asked.at(-1)?.headers).not.toMatchObject({ authorization: expect.anything() });
  expect(web.asked.at(-1)?.headers).not.toHaveProperty("x-key");
  expect(await denied(egress, from("/out"))).toContain("http://169.254.169.254/ can't be reached");
  expect(await rejection(egress.fetch(get(from("/round")), never()))).toBe("network.too_many_redirects");
  const asked = web.asked.length;
  const stayed = await egress.fetch(get(from("/in"), { followRedirects: false }), never());
  expect([stayed.status, web.asked.length]).toEqual([302, asked + 1]);
  expect(limits.networkRedirects).toBe(10);
});

test("a secret is put in on the way out, for its hosts alone, and comes back as its placeholder", async () => {
  const web = await serveWeb({
    "/echo": (request, response) =>
      response
        .writeHead(200, { "x-echo": request.headers.authorization })
        .end(JSON.stringify(request.headers)),
    "/packed": (_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end("?"),
  });
  const config: NetworkConfig = {
    allow: ["a", "b"].map((host) => ({ url: `http://${host}.test:${web.port}`, private: true })),
    credentials: { KEY: { value: "s3cret", hosts: ["*.c.test", "a.test"] } },
  };
  const egress = new Egress(config, here);
  const placeholder = egress.variables.KEY ?? "";
  expect(placeholder).toMatch(/^troupe-credential-[0-9a-f]{24}$/);
  expect(new Egress(config, here).variables.KEY).not.toBe(placeholder);
  const headers = { authorization: `Bearer ${placeholder}` };
  const answer = await egress.fetch(get(`http://a.test:${web.port}/echo`, { headers }), never());
  expect(web.asked[0]?.headers.authorization).toBe("Bearer s3cret");
  expect([answer.headers["x-echo"], text(answer.body)]).toEqual([
    `Bearer ${placeholder}`,
    expect.stringContaining(`"authorization":"Bearer ${placeholder}"`),
  ]);
  expect(JSON.stringify(answer) + text(answer.body)).not.toContain("s3cret");
  expect(await denied(egress, `http://b.test:${web.port}/echo`, { headers })).toContain("KEY is not for it");
  expect(await denied(egress, `http://a.test:${web.port}/packed`)).toContain("it answered in gzip");
});

test("of secrets that begin alike none comes back in part", async () => {
  const web = await serveWeb({ "/echo": (request, response) => response.end(request.headers["x-keys"]) });
  const hosts = ["127.0.0.1"];
  const egress = new Egress({
    allow: [{ url: web.origin, private: true }],
    credentials: { SHORT: { value: "key", hosts }, LONG: { value: "key-2-tail", hosts } },
  });
  const { SHORT = "", LONG = "" } = egress.variables;
  const headers = { "x-keys": `${SHORT} ${LONG}` };
  const answer = await egress.fetch(get(`${web.origin}/echo`, { headers }), never());
  expect(web.asked[0]?.headers["x-keys"]).toBe("key key-2-tail");
  expect(text(answer.body)).toBe(`${SHORT} ${LONG}`);
});

test("an answer has a size, a request a time; a server that isn't there is an error", async () => {
  const web = await serveWeb({
    "/long": (_request, response) => response.end(Buffer.alloc(limits.networkResponseBytes + 1)),
    "/silent": () => undefined,
    "/gone": (request) => request.socket.destroy(),
  });
  const egress = new Egress({
    allow: [
      { url: web.origin, private: true },
      { url: "http://127.0.0.1:1", private: true },
    ],
  });
  const end = (path: string, rest?: Partial<NetworkRequest>) =>
    rejection(egress.fetch(get(web.origin + path, rest), never()));
  expect(await end("/long")).toBe("network.response_too_large");
  expect(await end("/silent", { timeoutMs: 50 })).toBe("network.timed_out");
  expect(await end("/gone")).toBe("network.failed");
  expect(await rejection(egress.fetch(get("http://127.0.0.1:1/"), never()))).toBe("network.failed");
  expect(limits.networkRequestMs).toBe(30_000);
});

test("what is no policy is refused where it is given", () => {
  expect(() => new Egress({ allow: ["example.com"] })).toThrow('"example.com" is no http or https URL');
  expect(() => new Egress({ allow: ["ftp://example.com"] })).toThrow("no http or https URL");
});
