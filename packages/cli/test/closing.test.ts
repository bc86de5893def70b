/** A gateway that is asked to end: what it waits for, and what it doesn't. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import { Gateway } from "../src/gateway/gateway.ts";
import { readOptions } from "../src/gateway/options.ts";
import { GatewayProcess } from "./support/gateway-process.ts";
import { PluginFolder } from "./support/plugin-folder.ts";
import { ScriptedProvider } from "./support/provider.ts";

async function connected(gateway: Gateway, said: string): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect({ host: hostname, port: Number(port) });
  socket.on("error", () => {});
  await once(socket, "connect");
  socket.write(said);
  return socket;
}

async function ask(gateway: Gateway, agent: Agent): Promise<IncomingMessage> {
  const sent = request(`${gateway.url}/v1/models`, { agent });
  const answered: Promise<IncomingMessage[]> = once(sent, "response");
  sent.end();
  const [answer] = await answered;
  if (answer === undefined) throw new Error("no answer");
  return answer;
}

test("it waits for who has asked, and not for connections that are silent, kept, or in the middle of a head", async () => {
  const goOn = Promise.withResolvers<void>();
  await using provider = await ScriptedProvider.start((_request, response) => {
    if (provider.received.length === 1) return void response.end("at once");
    response.write("first, ");
    void goOn.promise.then(() => response.end("and last"));
  });
  const gateway = await Gateway.start(
    readOptions({ bind: "127.0.0.1:0", upstream: [provider.url] }, { cwd: "/" }),
  );
  const agents = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })] as const;
  expect(`${await buffer(await ask(gateway, agents[0]))}`).toBe("at once");
  const unasked = [await connected(gateway, ""), await connected(gateway, "GET /v1/models HTTP/1.1\r\nHo")];
  // Behind them: their bytes have come when this has.
  const answer = await ask(gateway, agents[1]);
  const ended = Promise.all(unasked.map((socket) => once(socket, "close")));
  const closed = gateway[Symbol.asyncDispose]();
  await ended;
  goOn.resolve();
  expect(`${await buffer(answer)}`).toBe("first, and last");
  await closed;
  for (const agent of agents) agent.destroy();
});

test("SIGQUIT ends it in order, as SIGTERM does; SIGUSR1 and SIGUSR2 mean nothing to it, and open no debugger", async () => {
  using folder = new PluginFolder();
  await using provider = await ScriptedProvider.start((_request, response) => void response.end("{}"));
  const trace = join(folder.path, "trace.jsonl");
  const gateway = await GatewayProcess.start(["--upstream", provider.url, "--atof", trace]);
  gateway.signal("SIGUSR1");
  gateway.signal("SIGUSR2");
  expect((await fetch(`${gateway.url}/v1/messages`, { method: "POST", body: "{}" })).status).toBe(200);
  expect(await gateway.stop("SIGQUIT")).toMatchObject({ code: 0, signal: null, err: "" });
  expect(readFileSync(trace, "utf8").trimEnd().split("\n")).toHaveLength(2);
});
