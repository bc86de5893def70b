/** Ports of a sandbox of processes: fetched, and under preview URLs. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { agentOS } from "@troupe/agent-os";
import { UserError } from "@troupe/base";
import { createClient } from "@troupe/client";
import { limits } from "@troupe/protocol";
import { setup, setupTest } from "@troupe/runtime";
import { expect, onTestFinished, type TestContext, test } from "vitest";
import { missing, processDriver } from "../support/bubblewrap.ts";
import { rejection } from "../support/errors.ts";

/** What a browser would keep for the gateway's whole origin. */
const ORIGINS = [
  "accept-ch",
  "alt-svc",
  "clear-site-data",
  "nel",
  "report-to",
  "reporting-endpoints",
  "secure-session-registration",
  "service-worker-allowed",
  "set-login",
  "strict-transport-security",
  "use-as-dictionary",
];

const SERVER = `
require("node:http").createServer((request, response) => {
  const { method, url, headers } = request;
  response.setHeader("x-inside", "yes").setHeader("set-cookie", "a=b");
  if (url === "/origin") for (const name of ${JSON.stringify(ORIGINS)}) response.setHeader(name, "of the origin");
  if (url === "/odd") return response.writeHead(999).end();
  if (url === "/flood") return response.end(Buffer.alloc(8 * 1024 * 1024));
  let body = "";
  request.on("data", (chunk) => body += chunk).on("end", () => response.writeHead(201).end(JSON.stringify({ method, url, body, headers })));
}).listen(8080, "127.0.0.1", () => console.log("listening"));
`;

async function serving(context: TestContext, config: { allowedOrigins?: string[] } = {}) {
  if (missing !== undefined) context.skip(missing);
  const dataDir = mkdtempSync(join(tmpdir(), "troupe-ports-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const onBeforeConnect = (_c: unknown, params: unknown) => {
    if (params !== "let me in") throw new UserError("not you", { code: "not_you" });
  };
  const registry = setup({
    ...config,
    use: { workspace: agentOS({ sandbox: processDriver(), onBeforeConnect }) },
  });
  const { endpoint } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
  const client = createClient<typeof registry>(endpoint);
  onTestFinished(() => registry.stop());
  onTestFinished(() => client.dispose());
  const handle = client.workspace.getOrCreate(["a"], { params: "let me in" });
  await handle.writeFile("/home/user/server.js", SERVER);
  const { pid } = await handle.spawn("/run/troupe/node", ["server.js"]);
  await expect.poll(async () => (await handle.readProcessOutput({ pid })).events.length).toBe(1);
  return { handle, pid };
}

test("a port is fetched, and previewed by whoever has its address, until it is taken back or expires", async (context) => {
  const { handle, pid } = await serving(context);
  const said = await handle.vmFetch(8080, "/a?b=c", {
    method: "post",
    body: "x",
    headers: { "x-mine": "1" },
  });
  expect([said.status, said.headers["x-inside"]]).toEqual([201, "yes"]);
  expect(JSON.parse(new TextDecoder().decode(said.body))).toMatchObject({
    method: "POST",
    url: "/a?b=c",
    body: "x",
    headers: { "x-mine": "1", host: "localhost:8080" },
  });
  // Processes of a sandbox reach each other, too.
  const inside = "fetch('http://localhost:8080/own').then((r) => console.log(r.status))";
  expect((await handle.exec(`/run/troupe/node -e "${inside}"`)).stdout).toBe("201\n");
  expect(await rejection(handle.vmFetch(8081, "/"))).toBe("port.closed");
  expect(await rejection(handle.vmFetch(8080, "/flood"))).toBe("port.answer_too_large");
  expect(await rejection(handle.vmFetch(0, "/"))).toBe("sandbox.invalid_argument");

  const gateway = await handle.getGatewayUrl();
  const preview = await handle.createSignedPreviewUrl(8080);
  const headers = { cookie: "session=mine", authorization: "Bearer mine", "x-mine": "2" };
  const answer = await fetch(`${gateway}${preview.path}/page?q=1`, { method: "PUT", body: "y", headers });
  expect([answer.status, answer.headers.get("x-inside"), answer.headers.get("set-cookie")]).toEqual([
    201,
    "yes",
    null,
  ]);
  expect(answer.headers.get("content-security-policy")).toMatch(/^sandbox(?!.*allow-same-origin)/);
  const { headers: kept } = await fetch(`${gateway}${preview.path}/origin`);
  expect([kept.get("x-inside"), ORIGINS.filter((name) => kept.has(name))]).toEqual(["yes", []]);
  const odd = await fetch(`${gateway}${preview.path}/odd`);
  expect([odd.status, odd.headers.get("troupe-error")]).toEqual([
    502,
    expect.stringContaining("port.answer_invalid"),
  ]);
  const seen = (await answer.json()) as { url: string; body: string; headers: Record<string, string> };
  expect(seen).toMatchObject({ url: "/page?q=1", body: "y", headers: { "x-mine": "2" } });
  expect(Object.keys(seen.headers)).not.toEqual(expect.arrayContaining(["cookie"]));
  expect(seen.headers.authorization).toBeUndefined();
  // A page of a preview has no origin; a gateway that wasn't told of it lets none of those in.
  const strange = await fetch(`${gateway}${preview.path}/`, { headers: { origin: "null" } });
  expect(strange.status).toBe(403);
  // Without an address there is the actor's own guard; with a wrong one, too.
  const refused = async (path: string) =>
    (await fetch(`${gateway}${path}`)).headers.get("troupe-error") !== null;
  expect(await refused("/request/fetch/")).toBe(true);
  expect(await refused(`/request/fetch/${"0".repeat(48)}/`)).toBe(true);
  expect(await handle.expireSignedPreviewUrl(preview.token)).toBe(true);
  expect(await handle.expireSignedPreviewUrl(preview.token)).toBe(false);
  expect(await refused(`${preview.path}/`)).toBe(true);
  const short = await handle.createSignedPreviewUrl(8080, 0.001);
  await expect.poll(() => refused(`${short.path}/`)).toBe(true);
  expect(await rejection(handle.createSignedPreviewUrl(8080, limits.previewLongestS + 1))).toBe(
    "sandbox.invalid_argument",
  );
  const last = await handle.createSignedPreviewUrl(8080);
  await handle.killProcess(pid);
  await handle.waitProcess(pid);
  expect((await fetch(`${gateway}${last.path}`)).status).toBe(502);
  for (let n = 1; n < limits.previews; n += 1) await handle.createSignedPreviewUrl(8080);
  expect(await rejection(handle.createSignedPreviewUrl(8080))).toBe("port.too_many_previews");
});

test("a page of a preview may ask for what is its own; who reads slowly, or goes, holds up nobody else", async (context) => {
  const { handle } = await serving(context, { allowedOrigins: ["null"] });
  const { path } = await handle.createSignedPreviewUrl(8080);
  const url = `${await handle.getGatewayUrl()}${path}`;
  const answer = await fetch(`${url}/data.json`, { headers: { origin: "null" } });
  expect([answer.status, answer.headers.get("access-control-allow-origin")]).toEqual([201, "null"]);
  expect(await answer.json()).toMatchObject({ url: "/data.json" });
  const reader = (await fetch(`${url}/flood`)).body?.getReader();
  expect((await reader?.read())?.done).toBe(false);
  expect((await fetch(`${url}/beside`)).status).toBe(201);
  const whole = await (await fetch(`${url}/flood`)).arrayBuffer();
  expect(whole.byteLength).toBe(8 * 1024 * 1024);
  await reader?.cancel();
  expect((await fetch(`${url}/behind`)).status).toBe(201);
});

test("the embedded driver has no ports, and says so", async (t) => {
  const { client } = await setupTest(t, setup({ use: { workspace: agentOS() } }));
  const handle = client.workspace.getOrCreate(["a"]);
  expect(await rejection(handle.vmFetch(80, "/"))).toBe("sandbox.no_ports");
  expect(await rejection(handle.createSignedPreviewUrl(80))).toBe("sandbox.no_ports");
});
