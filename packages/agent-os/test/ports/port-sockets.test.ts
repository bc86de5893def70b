/** WebSockets to ports of a sandbox, by whoever has a preview's address. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type AgentOSConfig, agentOS } from "@troupe/agent-os";
import { UserError } from "@troupe/base";
import { createClient } from "@troupe/client";
import { limits } from "@troupe/protocol";
import { setup } from "@troupe/runtime";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { missing, processDriver } from "../support/bubblewrap.ts";

/** A real server: what is listened to inside isn't written by us. */
const library = dirname(fileURLToPath(import.meta.resolve("ws")));
const SERVER = `
const { WebSocketServer } = require("/opt/ws");
const server = new WebSocketServer({ port: 8080, host: "127.0.0.1" }, () => console.log("listening"));
server.on("connection", (socket, { url, headers }) => {
  socket.send(JSON.stringify({ url, headers, protocol: socket.protocol }));
  socket.on("message", (data, binary) => {
    if (binary) return socket.send(data);
    if (String(data) === "bye") return socket.close(4001, "bye");
    if (String(data) === "drop") return socket.terminate();
    if (String(data) === "huge") return socket.send(Buffer.alloc(${limits.portAnswerBytes + 1}));
    socket.send("said " + data);
  });
  socket.on("close", (code, reason) => console.log("closed", code, String(reason)));
});`;

/** A client's socket, with all that it heard. */
class Heard {
  readonly socket: WebSocket;
  readonly messages: unknown[] = [];
  readonly closed: Promise<string>;

  constructor(url: string, headers: Record<string, string> = {}) {
    this.socket = new WebSocket(url.replace(/^http/, "ws"), headers.cookie === undefined ? [] : ["talk"], {
      headers,
    });
    this.socket.on("message", (data, binary) => void this.messages.push(binary ? data : String(data)));
    this.closed = new Promise((resolve) => {
      this.socket.on("close", (code, reason) => resolve(`${code} ${reason}`));
    });
    onTestFinished(() => this.socket.terminate());
  }

  async says(...words: readonly (string | Uint8Array)[]): Promise<void> {
    await once(this.socket, "open");
    for (const word of words) this.socket.send(word);
  }

  /** Waits until so many messages were heard. */
  async hears(count: number): Promise<void> {
    await expect.poll(() => this.messages.length, { timeout: 20_000 }).toBe(count);
  }
}

/** A workspace behind a real gateway. */
async function serving(config: AgentOSConfig) {
  const registry = setup({ use: { workspace: agentOS(config) } });
  const dataDir = mkdtempSync(join(tmpdir(), "troupe-sockets-"));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const { endpoint } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
  const client = createClient<typeof registry>(endpoint);
  onTestFinished(() => registry.stop());
  onTestFinished(() => client.dispose());
  return client.workspace.getOrCreate(["a"], { params: "let me in" });
}

test("a preview is also a WebSocket's address: messages and close codes pass both ways, until it is taken back or expires", async (context) => {
  if (missing !== undefined) context.skip(missing);
  const onBeforeConnect = (_c: unknown, params: unknown) => {
    if (params !== "let me in") throw new UserError("not you", { code: "not_you" });
  };
  const mounts = [{ path: "/opt/ws", hostPath: library }];
  const handle = await serving({ sandbox: processDriver(), onBeforeConnect, mounts });
  await handle.writeFile("/home/user/server.js", SERVER);
  const { pid } = await handle.spawn("/run/troupe/node", ["server.js"]);
  const printed = async () =>
    (await handle.readProcessOutput({ pid })).events
      .map(({ data }) => new TextDecoder().decode(data))
      .join("");
  await expect.poll(printed, { timeout: 20_000 }).toBe("listening\n");
  const gateway = await handle.getGatewayUrl();
  const { path, token } = await handle.createSignedPreviewUrl(8080);

  const headers = { cookie: "session=mine", authorization: "Bearer mine", "x-mine": "1" };
  const chat = new Heard(`${gateway}${path}/chat?q=1`, headers);
  // Said before the server inside can have agreed: kept, in order.
  await chat.says("one", new Uint8Array([1, 2]), "two");
  await chat.hears(4);
  const hello = JSON.parse(String(chat.messages[0])) as { headers: Record<string, string> };
  expect(hello).toMatchObject({ url: "/chat?q=1", protocol: "talk", headers: { "x-mine": "1" } });
  expect([hello.headers.cookie, hello.headers.authorization, hello.headers.origin]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect(chat.messages.slice(1)).toEqual(["said one", Buffer.from([1, 2]), "said two"]);
  chat.socket.close(4002, "done");
  await expect.poll(printed, { timeout: 20_000 }).toContain("closed 4002 done\n");

  const under = `${gateway}${path.replace("/request/", "/websocket/")}`;
  const bye = new Heard(under);
  await bye.says("bye");
  expect(await bye.closed).toBe("4001 bye");
  const dropped = new Heard(`${gateway}${path}`);
  await dropped.says("drop");
  expect(await dropped.closed).toBe("1014 port.closed");
  const huge = new Heard(`${gateway}${path}`);
  await huge.says("huge");
  expect(await huge.closed).toBe("1009 port.message_too_long");

  const revoked = new Heard(`${gateway}${path}`);
  await revoked.hears(1);
  await handle.expireSignedPreviewUrl(token);
  expect(await revoked.closed).toBe("1008 port.no_preview");
  expect(await new Heard(`${gateway}${path}`).closed).toBe("1008 user.not_you");
  const short = await handle.createSignedPreviewUrl(8080, 2);
  const expiring = new Heard(`${gateway}${short.path}`);
  await expiring.hears(1);
  expect(await expiring.closed).toBe("1008 port.no_preview");
  expect(Date.now()).toBeGreaterThanOrEqual(short.expiresAt - 5);
  const nobody = await handle.createSignedPreviewUrl(8081);
  expect(await new Heard(`${gateway}${nobody.path}`).closed).toBe("1014 port.closed");
  await expect.poll(printed, { timeout: 20_000 }).toMatch(/(closed 1008 port.no_preview\n.*){2}$/s);
});

test("an address that is nobody's: the socket closes with why", async () => {
  const handle = await serving({});
  const gateway = await handle.getGatewayUrl();
  expect(await new Heard(`${gateway}/request/fetch/${"0".repeat(48)}/`).closed).toBe("1008 port.no_preview");
  expect(await new Heard(`${gateway}/websocket/other`).closed).toBe("1008 port.no_preview");
});
