/** What a host says of its connection: one line when it changes, and none in between. */
import { createServer } from "node:http";
import { actor, setup } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { engineErrors } from "../../src/engine/errors.ts";
import { memoryLinks } from "../../src/ports/memory/transport.ts";
import { HostClient } from "../../src/remote/host-client.ts";
import { refuse } from "../../src/remote/opening-link.ts";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { Driver } from "../driver/driver.ts";
import { World } from "../driver/world.ts";
import { SpokenHost, startHost } from "./host.ts";

const counter = actor({
  state: { count: 0 },
  actions: { increment: (c, by: number) => (c.state.count += by) },
});

async function engine() {
  const driver = await Driver.start({ counter: remoteActor<typeof counter>() }, { hostToken: "secret" });
  const hosts = () => driver.runtime.hosts;
  const host = (given: Partial<Parameters<typeof startHost>[0]> = {}) =>
    startHost({ world: driver.world, hosts, use: { counter }, ...given });
  /** Lines about hosts since it was last asked, without their fields. */
  let read = 0;
  const said = () => {
    const lines = driver.world.lines.slice(read).filter(({ message }) => /engine|host/.test(message));
    read = driver.world.lines.length;
    return lines;
  };
  return { driver, host, said };
}

test("connected, lost, and back: one line each, with the id that the engine knows the host by", async () => {
  const { driver, host, said } = await engine();
  await using _ = driver;
  const { client, links } = host({ programVersion: 3 });
  await driver.world.idle();
  const [{ hostId = "" } = {}] = driver.runtime.hosts.list();
  expect(said()).toEqual([
    {
      level: "info",
      message: "connected to the engine",
      fields: { hostId, endpoint: undefined, pool: "default", programVersion: 3 },
    },
  ]);
  expect(await driver.act("counter?key=a", "increment", 1)).toMatchObject({ output: 1 });
  links[0]?.break();
  await driver.world.pass(500);
  expect(said()).toEqual([
    {
      level: "warn",
      message: "the connection to the engine is lost; connecting again",
      fields: { hostId, why: "closed with 1006" },
    },
    { level: "info", message: "connected to the engine again: everything goes on", fields: { hostId } },
  ]);
  await driver.world.pass(60_000);
  expect(said()).toEqual([]);
  client.close();
});

test("a host that was away for too long says what became of its actors, and who it is now", async () => {
  const { driver, host, said } = await engine();
  await using _ = driver;
  const { client, links } = host();
  await driver.world.idle();
  expect(await driver.act("counter?key=a", "increment", 1)).toMatchObject({ output: 1 });
  const [{ hostId: before = "" } = {}] = driver.runtime.hosts.list();
  said();
  // The engine hears nothing of it, as of one that is frozen, and gives it up.
  Object.assign(links[0] ?? {}, { send: () => {} });
  await driver.world.pass(10_000);
  const [{ hostId: now = "" } = {}] = driver.runtime.hosts.list();
  expect(now).not.toBe(before);
  expect(said().map(({ level, message, fields }) => [level, message, fields["hostId"]])).toEqual([
    ["warn", "the connection to the engine is lost; connecting again", before],
    ["warn", "this host's actors were given up: they go on elsewhere, or here anew", before],
    ["info", "connected to the engine", now],
  ]);
  client.close();
});

test("an engine that stays away is spoken of when something changes, and once a minute", async () => {
  const world = new World();
  let why = "nobody listens";
  const dial = () => Promise.reject(new Error(why));
  const client = new HostClient({ env: world, use: { counter }, token: "secret", pool: "default", dial });
  const said = () => world.lines.splice(0).map(({ fields }) => fields["why"]);
  await world.pass(59_000);
  expect(said()).toEqual(["nobody listens"]);
  await world.pass(10_000);
  expect(said()).toEqual(["nobody listens"]);
  why = "a proxy";
  await world.pass(10_000);
  expect(said()).toEqual(["a proxy"]);
  client.close();
});

test("whom the engine refuses says so, also when nobody awaits it; the engine tells no stack", async () => {
  const { driver, host, said } = await engine();
  await using _ = driver;
  host({ token: "guess" });
  await driver.world.idle();
  expect(said().map(({ level, message, fields }) => [level, message, Object.keys(fields)])).toEqual([
    ["warn", "a remote host was refused", ["error", "why"]],
    ["warn", "the engine refuses this host: it is over", ["hostId", "why"]],
  ]);
});

test("a refusal that says that it may pass isn't the end: the host comes again", async () => {
  const { driver, said } = await engine();
  await using _ = driver;
  let dialled = 0;
  const client = new HostClient({
    ...{ env: driver.world, use: { counter }, token: "secret", pool: "default" },
    dial: async () => {
      dialled += 1;
      const [near, far] = memoryLinks(driver.world);
      if (dialled === 1) {
        far.attach({ message: () => {}, closed: () => {} });
        refuse(far, engineErrors.tooManyOpening(256));
      } else driver.runtime.hosts.accept(far);
      return near;
    },
  });
  await driver.world.pass(1_000);
  await client.ready;
  expect(said().map(({ message }) => message)).toEqual([
    "the engine refuses this host for now; trying again",
    "connected to the engine",
  ]);
  client.close();
});

test("a Hello that names no version is no Hello", async () => {
  const { driver } = await engine();
  await using _ = driver;
  const host = new SpokenHost(driver.world, driver.runtime.hosts).hello({ versions: [] });
  await driver.world.idle();
  expect(host.closed).toMatchObject({ reason: "protocol.malformed_frame" });
});

test("a server that is no engine is named, with what it answered; the host waits for an engine there", async () => {
  const server = createServer((_, response) => response.writeHead(200, { server: "nginx" }).end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const lines = () => written.mock.calls.map(([line]) => String(line));
  const options = { endpoint: `http://127.0.0.1:${port}`, token: "secret", signals: false };
  try {
    const started = setup({ use: { counter } }).startHost(options);
    const noEngine = `ws://127.0.0.1:${port}/hosts/connect is no Troupe engine: HTTP 200 from nginx`;
    await vi.waitUntil(() => lines().some((line) => line.includes(noEngine)));
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    const engine = setup({ use: { counter: remoteActor<typeof counter>() }, hosts: { token: "secret" } });
    await engine.start({ port: port ?? 0, durability: "memory", signals: false, banner: false });
    const host = await started;
    host.close();
    await host.over;
    await engine.stop();
  } finally {
    written.mockRestore();
    server.close();
  }
});
