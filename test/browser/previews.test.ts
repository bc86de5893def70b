/** Preview addresses in a real browser: what a page of a sandbox's program may do there, with and without its origin among the gateway's. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setup } from "troupe";
import { agentOS, ProcessDriver } from "troupe/agent-os";
import { createClient } from "troupe/client";
import { expect, onTestFinished, type TestContext, test } from "vitest";
import { Chromium, findChromium } from "./chromium.ts";

/** Runs in the sandbox: a page with a plain script and a module, and what they ask for. */
const SERVER = `
const files = {
  "/": ["text/html", '<!doctype html><title>page</title><script src="plain.js"></script><script type="module" src="module.js"></script>'],
  "/plain.js": ["text/javascript", "document.title = 'plain'"],
  "/module.js": ["text/javascript", "document.title = 'module'"],
  "/data.json": ["application/json", '{"is":"data"}'],
};
require("node:http").createServer((request, response) => {
  const [type, body] = files[request.url] ?? ["text/plain", ""];
  response.setHeader("content-type", type).setHeader("set-cookie", "mine=1").end(body);
}).listen(8080, "127.0.0.1", () => console.log("listening"));
`;

/** Runs in the page. */
const ASK = `(async (neighbour) => {
  const tried = async (work) => { try { return String(await work()); } catch (error) { return error.name; } };
  return {
    origin: self.origin,
    data: await tried(async () => (await (await fetch("data.json")).json()).is),
    cookie: await tried(() => document.cookie),
    storage: await tried(() => localStorage.length),
    neighbour: await tried(async () => (await fetch(neighbour, { credentials: "include" })).text()),
  };
})`;

async function previewed(context: TestContext, config: { readonly allowedOrigins?: readonly string[] }) {
  const found = findChromium();
  if ("missing" in found) return context.skip(found.missing);
  const bubblewrap = process.env.TROUPE_TEST_BWRAP ?? "";
  if (bubblewrap === "")
    return context.skip(process.env.TROUPE_TEST_BWRAP_WHY || "bubblewrap is not installed");
  const dataDir = mkdtempSync(join(tmpdir(), "troupe-previews-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const workspace = agentOS({ sandbox: new ProcessDriver({ bubblewrap }) });
  const registry = setup({ ...config, use: { workspace } });
  const { endpoint } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
  onTestFinished(() => registry.stop());
  const client = createClient<typeof registry>(endpoint);
  onTestFinished(() => client.dispose());
  const handle = client.workspace.getOrCreate(["a"]);
  await handle.writeFile("/home/user/server.js", SERVER);
  const { pid } = await handle.spawn("/run/troupe/node", ["server.js"]);
  await expect.poll(async () => (await handle.readProcessOutput({ pid })).events.length).toBe(1);
  const chromium = await Chromium.launch(found.path);
  onTestFinished(() => chromium[Symbol.asyncDispose]());
  const gateway = await handle.getGatewayUrl();
  const { path } = await handle.createSignedPreviewUrl(8080);
  const page = await chromium.open(`${gateway}${path}/`);
  const ask = () => page.evaluate(`${ASK}(${JSON.stringify(`${endpoint}/livez`)})`);
  return { page, ask };
}

const nobody = { origin: "null", cookie: "SecurityError", storage: "SecurityError" };

test("a page of a preview has no origin: its plain scripts run, and it reads nothing of the gateway, not even its own data", async (context) => {
  const { page, ask } = await previewed(context, {});
  await expect.poll(() => page.title()).toBe("plain");
  expect(await ask()).toEqual({ ...nobody, data: "TypeError", neighbour: "TypeError" });
});

test("where the gateway takes the origin null, a page reads its own data and modules", async (context) => {
  const { page, ask } = await previewed(context, { allowedOrigins: ["null"] });
  await expect.poll(() => page.title()).toBe("module");
  expect(await ask()).toMatchObject({ ...nobody, data: "data" });
});
