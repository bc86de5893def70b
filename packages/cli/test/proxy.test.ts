/** Proxies on the way to a provider: real ones, found by the variables that other programs read. */
import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { proxyOf } from "@troupe/relay/model-proxy";
import { expect, onTestFinished, test, vi } from "vitest";
import { checkUpstreams } from "../src/gateway/needs/machine.ts";
import { readOptions } from "../src/gateway/options.ts";
import { testCertificate } from "./support/certificate.ts";
import { ConnectProxy } from "./support/connect-proxy.ts";
import { GatewayProcess } from "./support/gateway-process.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

const stream = 'event: message_stop\ndata: {"type":"message_stop"}\n\n';

/** The environment of processes that are started from here. */
function surround(variables: Readonly<Record<string, string>>): void {
  const none = ["http_proxy", "https_proxy", "all_proxy", "no_proxy"];
  for (const name of none.flatMap((one) => [one, one.toUpperCase()])) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
}

async function secureProvider() {
  const server = createServer(testCertificate, async (request, response) => {
    const body = await text(request);
    response.writeHead(200, {
      "content-type": "text/event-stream",
      "x-asked": `${request.headers.host} ${body}`,
    });
    response.end(stream);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    server.closeAllConnections();
    server.close();
  };
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: close };
}

test("a provider behind a proxy is reached by a tunnel: streams are as they were, and the proxy sees none of them", async () => {
  using folder = new PluginFolder();
  await using provider = await secureProvider();
  await using proxy = await ConnectProxy.start(provider.port);
  surround({
    HTTPS_PROXY: `http://ann:s3cret@${proxy.host}`,
    NODE_EXTRA_CA_CERTS: folder.write("ca.pem", testCertificate.cert),
  });
  await using gateway = await GatewayProcess.start(["--upstream", "https://provider.test"]);
  const answer = await fetch(`${gateway.url}/v1/messages`, { method: "POST", body: "{}" });
  expect(await answer.text()).toBe(stream);
  expect(answer.headers.get("x-asked")).toBe("provider.test {}");
  const by = `Basic ${btoa("ann:s3cret")}`;
  expect(proxy.asked).toEqual([{ target: "provider.test:443", by }]);
});

test("a plain address is asked of the proxy by its whole name, with all headers; this machine's own are reached directly", async () => {
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  await using proxy = await ConnectProxy.start(Number(new URL(provider.url).port));
  surround({ http_proxy: `http://${proxy.host}` });
  const upstreams = [
    "--upstream",
    "openai=http://provider.test/base",
    "--upstream",
    `anthropic=${provider.url}`,
  ];
  await using gateway = await GatewayProcess.start(upstreams);
  const ask = async (path: string) => {
    const headers = [
      "Host",
      new URL(gateway.url).host,
      "X-Twice",
      "1",
      "X-Twice",
      "2",
      "Content-Length",
      "2",
    ];
    const sent = request(gateway.url + path, { method: "POST", headers }).end("{}");
    const [answer] = await once(sent, "response");
    await text(answer);
    return answer.statusCode;
  };
  expect([await ask("/v1/responses"), await ask("/v1/messages")]).toEqual([200, 200]);
  expect(proxy.asked.map(({ target }) => target)).toEqual(["http://provider.test/base/v1/responses"]);
  expect(provider.received).toHaveLength(2);
  expect(provider.received[0]?.headers.join("\n")).toContain("X-Twice\n1\nX-Twice\n2");
});

test("a proxy that refuses is named, and its password isn't; one that is none keeps the gateway from starting", async () => {
  await using proxy = await ConnectProxy.start(1, 407);
  surround({ HTTPS_PROXY: `http://ann:s3cret@${proxy.host}` });
  await using gateway = await GatewayProcess.start(["--upstream", "https://provider.test"]);
  const answer = await fetch(`${gateway.url}/v1/messages`, { method: "POST", body: "{}" });
  const said = await answer.text();
  expect(answer.status).toBe(502);
  expect(said).toContain(`https://provider.test, through the proxy http://${proxy.host}, can't be reached: `);
  expect(said).toContain("407");
  expect(said).not.toContain("s3cret");

  surround({ HTTPS_PROXY: "ftp://proxy.test" });
  const failed = await GatewayProcess.run(["--upstream", "https://provider.test", "--bind", "127.0.0.1:0"]);
  expect(failed).toMatchObject({ code: 1, err: expect.stringContaining("[gateway.bad_proxy]") });
});

test("a proxy without a tunnel that wants to know who asks is told of as one, and its answer isn't the provider's", async () => {
  await using proxy = await ConnectProxy.start(1, 407);
  surround({ http_proxy: `http://${proxy.host}` });
  await using gateway = await GatewayProcess.start(["--upstream", "http://provider.test"]);
  for (const path of ["/v1/messages", "/v1/files"]) {
    const answer = await fetch(gateway.url + path, { method: "POST", body: "{}" });
    expect([answer.status, answer.headers.get("proxy-authenticate")]).toEqual([502, null]);
    const said = await answer.text();
    expect(said).toContain("gateway.proxy_asks".slice(path === "/v1/files" ? 8 : 0));
    expect(said).toContain("http_proxy may say it");
  }
});

test("the doctor says which proxy is on the way, and whether it answers", async () => {
  await using proxy = await ConnectProxy.start(1);
  const found = async (env: Record<string, string>) => {
    const options = readOptions({ upstream: ["https://provider.test"] }, { cwd: "/" });
    return (await checkUpstreams(options, env))[0];
  };
  expect(await found({ HTTPS_PROXY: `http://ann:s3cret@${proxy.host}` })).toMatchObject({
    level: "ok",
    message: `https://provider.test is behind the proxy http://${proxy.host} (HTTPS_PROXY), which answers`,
  });
  expect(await found({ https_proxy: "127.0.0.1:1" })).toMatchObject({
    level: "problem",
    mend: "correct https_proxy, or name provider.test in NO_PROXY",
  });
  expect(await found({ https_proxy: "::" })).toMatchObject({ level: "problem" });
});

test.each([
  ["https://api.test", {}, undefined],
  ["https://api.test", { HTTPS_PROXY: "" }, undefined],
  ["https://api.test", { http_proxy: "http://p:1" }, undefined],
  ["http://api.test", { http_proxy: "p:1", HTTP_PROXY: "http://q:1" }, "http://p:1"],
  ["https://api.test", { ALL_PROXY: "https://p" }, "https://p"],
  ["https://api.test", { https_proxy: "http://p:1", NO_PROXY: "*" }, undefined],
  ["https://api.test", { https_proxy: "http://p:1", NO_PROXY: "b.test, API.test" }, undefined],
  ["https://eu.api.test", { https_proxy: "http://p:1", no_proxy: ".api.test" }, undefined],
  ["https://eu.api.test", { https_proxy: "http://p:1", no_proxy: "*.api.test" }, undefined],
  ["https://myapi.test", { https_proxy: "http://p:1", no_proxy: "api.test" }, "http://p:1"],
  ["https://api.test", { https_proxy: "http://p:1", no_proxy: "api.test:8443" }, "http://p:1"],
  ["https://api.test:8443", { https_proxy: "http://p:1", no_proxy: "api.test:8443" }, undefined],
  ["https://10.1.2.3", { https_proxy: "http://p:1", no_proxy: "10.0.0.0/8" }, undefined],
  ["https://11.1.2.3", { https_proxy: "http://p:1", no_proxy: "10.0.0.0/8,10.0.0.0/99,x/8" }, "http://p:1"],
  ["https://[2001:db8::1]", { https_proxy: "http://p:1", no_proxy: "2001:db8::1" }, undefined],
  ["https://[2001:db8::1]:8443", { https_proxy: "http://p:1", no_proxy: "[2001:db8::1]:8443" }, undefined],
  ["http://localhost:11434", { http_proxy: "http://p:1" }, undefined],
  ["http://127.1.2.3", { http_proxy: "http://p:1" }, undefined],
  ["http://[::1]:1", { http_proxy: "http://p:1" }, undefined],
])("%s with %j", (url, env, proxy) => {
  expect(proxyOf(new URL(url), env)?.url.origin).toBe(proxy);
});
