/** The network of a sandbox of processes: none, or a proxy that the policy is behind. */
import { once } from "node:events";
import { createServer } from "node:net";
import type { NetworkConfig } from "@troupe/agent-os";
import { Egress } from "@troupe/runtime/egress";
import { expect, onTestFinished, type TestContext, test } from "vitest";
import { boot } from "../../../../conformance/sandbox/drivers.ts";
import { serveWeb } from "../../../runtime/test/egress/web.ts";
import { processes } from "../support/bubblewrap.ts";

/** Names that lead to this machine. */
const resolve = async (host: string) =>
  host === "localhost" || host.endsWith(".test")
    ? [{ address: "127.0.0.1", family: 4 }]
    : Promise.reject(new Error("unknown"));

async function inside(context: TestContext, network: NetworkConfig) {
  const sandbox = await boot(processes, context, { network: new Egress(network, resolve) });
  /** What a program inside says. */
  return async (program: string) => {
    const { stdout, stderr } = await sandbox.exec(`/run/troupe/node --input-type=module -e '${program}'`);
    return stdout + stderr;
  };
}

test("programs reach what is allowed through the proxy; the secret is never inside; what is refused says why", async (context) => {
  const web = await serveWeb({
    "/echo": (request, response) => response.end(`key=${request.headers["x-key"]}`),
    "/away": (_request, response) => response.writeHead(302, { location: "http://other.test/" }).end(),
  });
  const run = await inside(context, {
    allow: [{ url: `http://web.test:${web.port}`, private: true }],
    credentials: { API_KEY: { value: "s3cret", hosts: ["web.test"] } },
  });
  const origin = `http://web.test:${web.port}`;
  const said = await run(
    `import { request } from "node:http";
     const get = async (url) => (await fetch(url, { headers: { "x-key": process.env.API_KEY } }).catch((e) => ({ text: () => e.cause?.message })));
     console.log(await (await get("${origin}/echo")).text());
     console.log(await (await get("http://other.test/")).text());
     console.log(await new Promise((resolve) => request({ port: 3128, path: "http://169.254.169.254/" }, resolve).end()).then((r) => r.statusCode + String(r.read() ?? "")));
     console.log(await (await get("http://169.254.169.254/latest")).text());
     console.log((await fetch("${origin}/away", { redirect: "manual" })).status);
     const refused = (path, method) => new Promise((resolve) => request({ port: 3128, path, method }, resolve).on("connect", resolve).end());
     for (const asked of [["http://other.test/"], ["other.test:443", "CONNECT"]])
       console.log(await refused(...asked).then((r) => [r.statusCode, r.headers["proxy-status"]].join()));`,
  );
  const lines = said.split("\n");
  expect(lines[0]).toMatch(/^key=troupe-credential-[0-9a-f]{24}$/);
  expect(web.asked[0]?.headers["x-key"]).toBe("s3cret");
  expect(lines[1]).not.toContain("key=");
  expect(web.asked.map(({ url }) => url)).toEqual(["/echo", "/away"]);
  // A program follows a redirect by itself, and is looked at again.
  expect(said).toContain("403");
  expect(said).toContain("302");
  // A program that looks can tell it from a server's own 403.
  expect(lines.slice(-3)).toEqual([...Array(2).fill("403,troupe; error=http_request_denied"), ""]);
  expect(said).not.toContain("s3cret");
});

test("a server of the host at localhost is there at its own address, by its policy; other ports of localhost are the sandbox's own", async (context) => {
  const web = await serveWeb({
    "/v1/echo": (request, response) => response.end(`key=${request.headers["x-key"]}`),
    "/other": (_request, response) => response.end("told"),
  });
  const run = await inside(context, {
    allow: [{ url: `http://localhost:${web.port}/v1`, private: true }],
    credentials: { API_KEY: { value: "s3cret", hosts: ["localhost"] } },
  });
  const origin = `http://localhost:${web.port}`;
  const said = await run(
    `import { createServer } from "node:http";
     const headers = { "x-key": process.env.API_KEY };
     const get = async (url) => console.log(await (await fetch(url, { headers }).catch((e) => ({ text: () => e.cause?.message }))).text());
     await get("${origin}/v1/echo");
     await get("${origin}/other");
     const own = createServer((_, response) => response.end("own")).listen(0, "127.0.0.1", async () => {
       await get("http://localhost:" + own.address().port);
       process.exit();
     });`,
  );
  expect(said).toMatch(/^key=troupe-credential-[0-9a-f]{24}\n.*not on the allow list.*\n\nown\n$/);
  expect(web.asked.map(({ url, headers }) => [url, headers["x-key"]])).toEqual([["/v1/echo", "s3cret"]]);
});

test("what a client says together with CONNECT is heard, in a tunnel and by who looks at http", async (context) => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => socket.end(`heard ${data}`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const web = await serveWeb({ "/echo": (_request, response) => response.end("echo") });
  const run = await inside(context, {
    allow: [
      { url: `https://tunnel.test:${port}`, private: true },
      { url: `http://web.test:${web.port}`, private: true },
    ],
  });
  const atOnce = (host: string, said: string) =>
    run(
      `import { connect } from "node:net";
       connect(3128, "127.0.0.1").on("data", (data) => process.stdout.write(data))
         .write("CONNECT ${host} HTTP/1.1\\r\\nhost: ${host}\\r\\n\\r\\n${said}");`,
    );
  expect(await atOnce(`tunnel.test:${port}`, "hello")).toContain("heard hello");
  const request = "GET /echo HTTP/1.1\\r\\nhost: web\\r\\nconnection: close\\r\\n\\r\\n";
  expect(await atOnce(`web.test:${web.port}`, request)).toMatch(/200 OK[\s\S]*echo$/);
});

test("https is a tunnel to a whole origin that is allowed, and to nothing else", async (context) => {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.on("data", (data) => socket.end(`heard ${data}`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const address = server.address();
  const port = typeof address === "object" ? address?.port : 0;
  const run = await inside(context, {
    allow: [
      { url: `https://tunnel.test:${port}`, private: true },
      { url: `https://part.test:${port}/v1`, private: true },
      { url: `https://public.test:${port}` },
    ],
  });
  const tunnel = (host: string) =>
    run(
      `import { request } from "node:http";
       const asked = request({ port: 3128, method: "CONNECT", path: "${host}:${port}" });
       asked.on("connect", (response, socket) => {
         console.log(response.statusCode, response.statusMessage);
         if (response.statusCode === 200) socket.end("hello"); else socket.destroy();
         socket.on("data", (data) => console.log(String(data)));
       });
       asked.end();`,
    );
  expect(await tunnel("tunnel.test")).toBe("200 Connection established\nheard hello\n");
  expect(await tunnel("part.test")).toContain("403");
  expect(await tunnel("part.test")).toContain("only whole origins");
  expect(await tunnel("public.test")).toContain("its address is a private one");
  expect(await tunnel("nowhere.test")).toContain("is not on the allow list");
});
