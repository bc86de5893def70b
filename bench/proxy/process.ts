/**
 * What stands in front of a model provider, in a process of its own: `node bench/proxy/process.ts floor|troupe <provider>`.
 *
 * The floor is a proxy of node:http that passes requests and answers on and does nothing else. Troupe's is the gateway for agents with a
 * trace in a file and metrics, as people run it.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { Gateway } from "../../packages/cli/src/gateway/gateway.ts";
import { readOptions } from "../../packages/cli/src/gateway/options.ts";
import type { ProxyMemory, ProxyReady } from "./protocol.ts";

const [name, provider = ""] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "troupe-bench-"));

let lastCpu = process.cpuUsage();

process.on("message", (message) => {
  if (message === "cpu") process.send?.(cpuUs());
  else if (message === "settled") process.send?.(settledMemory());
  else if (message === "memory") process.send?.(process.memoryUsage.rss());
  else process.exit(0);
});
process.on("disconnect", () => process.exit(0));
process.on("exit", () => rmSync(folder, { recursive: true, force: true }));

const ready: ProxyReady = { url: name === "floor" ? await floor() : await troupe() };
process.send?.(ready);

async function troupe(): Promise<string> {
  const flags = { bind: "127.0.0.1:0", upstream: [provider], atof: join(folder, "trace.jsonl") };
  const gateway = await Gateway.start(readOptions(flags, { cwd: folder }));
  return gateway.url;
}

async function floor(): Promise<string> {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(provider);
  const server = createServer((incoming, response) => {
    const { method, url: path, headers } = incoming;
    const sent = request({ hostname, port, path, method, headers, agent }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      pipeline(answer, response, () => {});
    });
    sent.on("error", () => response.destroy());
    incoming.pipe(sent);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Since it was last asked. */
function cpuUs(): number {
  const { user, system } = process.cpuUsage(lastCpu);
  lastCpu = process.cpuUsage();
  return user + system;
}

function settledMemory(): ProxyMemory {
  globalThis.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rssBytes: rss, heapBytes: heapUsed + external };
}
