/** SIGTERM: not ready, no new work, what runs is finished and saved, sockets close with 1012, exit 0. */
import { once } from "node:events";
import { expect, test } from "vitest";
import { WebSocket } from "ws";
import { temporaryDirectory } from "../storage/test-env.ts";
import { ServerProcess } from "./server-process.ts";

async function running(dataDir: string) {
  const server = new ServerProcess("server-child.ts", dataDir);
  const { port } = await server.heard("port");
  const base = `http://127.0.0.1:${port}`;
  const slow = fetch(`${base}/actor/worker/action/slow`, { method: "POST" });
  const outcome = slow.then(
    async (response) => [response.status, await response.json()] as const,
    (error: unknown) => error,
  );
  await server.heard("running");
  return { server, base, outcome };
}

test("the first signal stops in order", async () => {
  using directory = temporaryDirectory();
  const { server, base, outcome } = await running(directory.path);
  using _ = server;
  const socket = new WebSocket(`${base.replace("http", "ws")}/actor/worker/connect`, ["troupe"]);
  const closed = once(socket, "close") as Promise<[number, Buffer]>;
  const welcomed = once(socket, "message");
  await once(socket, "open");
  socket.send('{"kind":"hello","versions":[1],"encoding":"json"}');
  expect(String((await welcomed)[0])).toContain("welcome");
  expect((await fetch(`${base}/readyz`)).status).toBe(200);
  const exit = once(server.process, "exit");
  server.process.kill("SIGTERM");
  // Signals and requests travel apart: the answer changes as soon as the signal has been taken.
  while ((await fetch(`${base}/readyz`)).status !== 503);
  expect((await fetch(`${base}/livez`)).status).toBe(200);
  const refused = await fetch(`${base}/actor/worker/action/saved`, { method: "POST" });
  expect([refused.status, ((await refused.json()) as { error: object }).error]).toMatchObject([
    503,
    { code: "stopping", retryable: true },
  ]);
  server.process.send({ kind: "finish" });
  expect(await outcome).toEqual([200, { output: "finished" }]);
  const [code, reason] = await closed;
  expect([code, String(reason)]).toEqual([1012, "actor.restarting"]);
  expect(await exit).toEqual([0, null]);
  expect(server.complaints).toEqual([]);
  // What it saved is there.
  const again = new ServerProcess("server-child.ts", directory.path);
  using __ = again;
  const { port } = await again.heard("port");
  const saved = await fetch(`http://127.0.0.1:${port}/actor/worker/action/saved`, { method: "POST" });
  expect(await saved.json()).toEqual({ output: 11 });
});

test("the second signal exits at once", async () => {
  using directory = temporaryDirectory();
  const { server, base, outcome } = await running(directory.path);
  using _ = server;
  const exit = once(server.process, "exit");
  server.process.kill("SIGINT");
  while ((await fetch(`${base}/readyz`)).status !== 503);
  server.process.kill("SIGTERM");
  expect(await exit).toEqual([130, null]);
  expect(await outcome).toBeInstanceOf(Error);
});
