/** A program as a host of an engine elsewhere, over a real socket: the same definitions, and no store of its own. */
import { createClient } from "@troupe/client";
import { actor, remoteActor, setup } from "@troupe/runtime";
import { expect, test, vi } from "vitest";

const counter = actor({
  state: { count: 0 },
  onRequest: async (c, request) => new Response(`${c.state.count} ${await request.text()}`),
  actions: { increment: (c, by: number) => (c.state.count += by) },
});

const quiet = { port: 0, durability: "memory", signals: false, banner: false } as const;

async function engine() {
  const registry = setup({ use: { counter: remoteActor<typeof counter>() }, hosts: { token: "secret" } });
  const { endpoint } = await registry.start(quiet);
  const client = createClient<typeof registry>(endpoint);
  return {
    registry,
    endpoint,
    client,
    async [Symbol.asyncDispose]() {
      await client.dispose();
      await registry.stop();
    },
  };
}

test("registry.startHost: a program runs its actors for an engine; what it drains goes on in the next one", async () => {
  await using troupe = await engine();
  const handle = troupe.client.counter.getOrCreate("a");
  const options = { endpoint: troupe.endpoint, token: "secret", signals: false };
  const first = await setup({ use: { counter } }).startHost(options);
  expect(await handle.increment(1)).toBe(1);
  const program = setup({ use: { counter } });
  const second = await program.startHost({ ...options, programVersion: 2 });
  await Promise.all([first.drain(), ...Array.from({ length: 20 }, () => handle.increment(1))]);
  await first.over;
  expect(await handle.increment(1)).toBe(22);
  const answer = await handle.fetch("/", { method: "POST", body: "hello" });
  expect(await answer.text()).toBe("22 hello");
  expect(await (await program.client()).counter.getOrCreate("a").increment(0)).toBe(22);
  const hosts = troupe.registry.remoteHosts.list();
  expect(hosts).toMatchObject([{ programVersion: 2, state: "open", instances: 1, actors: ["counter"] }]);
  second.close();
});

test("TROUPE_ENDPOINT makes a host of a program without a change; stop() moves its actors away", async () => {
  await using troupe = await engine();
  vi.stubEnv("TROUPE_ENDPOINT", troupe.endpoint);
  vi.stubEnv("TROUPE_HOSTS_TOKEN", "secret");
  try {
    const program = setup({ use: { counter } });
    expect(await program.start(quiet)).toMatchObject({ endpoint: troupe.endpoint });
    expect(await troupe.client.counter.getOrCreate("b").increment(2)).toBe(2);
    // Its own client is the engine's, and no store of its own is opened.
    const client = await program.client();
    expect(await client.counter.getOrCreate("b").increment(1)).toBe(3);
    await expect(
      program.client({ namespace: "nowhere" }).then((other) => other.counter.getOrCreate("b").increment(1)),
    ).rejects.toMatchObject({ group: "namespace" });
    expect(() => program.namespaces).toThrow(expect.objectContaining({ code: "not_started" }));
    await client.dispose();
    await expect(program.start(quiet)).rejects.toMatchObject({ code: "already_started" });
    await program.stop();
    await expect.poll(() => troupe.registry.remoteHosts.list(), { timeout: 10_000 }).toEqual([]);
  } finally {
    vi.unstubAllEnvs();
  }
});

test("a host that was taken, and is refused when it comes back, is over, and its process has failed", async () => {
  await using troupe = await engine();
  const { exitCode } = process;
  try {
    const host = await setup({ use: { counter } }).startHost({ endpoint: troupe.endpoint, token: "secret" });
    await troupe.registry.stop();
    const other = setup({ use: { counter: remoteActor<typeof counter>() }, hosts: { token: "another" } });
    await other.start({ ...quiet, port: Number(new URL(troupe.endpoint).port) });
    await host.over;
    expect(process.exitCode).toBe(1);
    await other.stop();
  } finally {
    process.exitCode = exitCode;
  }
});

test("what a host can't obey is refused by name, and so are a wrong token and no engine", async () => {
  await using troupe = await engine();
  const options = { endpoint: troupe.endpoint, token: "secret", signals: false };
  for (const [key, config] of Object.entries({
    maxAwakeActors: { maxAwakeActors: 5 },
    hosts: { hosts: { token: "x" } },
    fetch: { fetch: () => new Response() },
  })) {
    const refused = setup({ use: { counter }, ...config }).startHost(options);
    await expect(refused).rejects.toMatchObject({ code: "not_on_host", metadata: { key } });
  }
  const program = setup({ use: { counter } });
  const refused = await program.startHost({ ...options, token: "guess" }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "wrong_token", stack: expect.not.stringContaining("\n") });
  const closed = setup({ use: { counter } });
  const { endpoint } = await closed.start(quiet);
  await expect(program.startHost({ ...options, endpoint })).rejects.toMatchObject({ code: "not_enabled" });
  await closed.stop();
  await expect(program.startHost({ token: "secret" })).rejects.toMatchObject({ code: "invalid_option" });
  expect(() => program.remoteHosts).toThrow(expect.objectContaining({ code: "not_started" }));
});
