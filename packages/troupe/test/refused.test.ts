/** Configuration that nobody would read: each door of the house refuses it by name. */
import { actor, event, queue, remoteActor, setup } from "troupe";
import { agentOS } from "troupe/agent-os";
import { createClient } from "troupe/client";
import { db } from "troupe/db";
import { dynamicActor } from "troupe/dynamic";
import { startHost } from "troupe/edge";
import { pluginActor } from "troupe/plugins";
import { createRelay } from "troupe/relay";
import { workflow } from "troupe/workflow";
import { expect, test } from "vitest";

const counter = actor({ state: { count: 0 }, actions: {} });
const use = { counter };
const engine = { endpoint: "http://127.0.0.1:1", token: "secret" };

/** An option that there isn't, in a type that no compiler objects to. */
const misspelt: object = { durabilty: "memory" };

const doors: Readonly<Record<string, () => unknown>> = {
  "actor()": () => actor({ actions: {}, ...misspelt }),
  "an actor's options": () => actor({ actions: {}, options: misspelt }),
  "an event": () => actor({ actions: {}, events: { said: event(misspelt) } }),
  "a queue": () => actor({ actions: {}, queues: { jobs: queue(misspelt) } }),
  "db()": () => db(misspelt),
  "workflow()": () => workflow(async () => {}, misspelt),
  "remoteActor()": () => remoteActor(misspelt),
  "dynamicActor()": () => dynamicActor({ source: "export default {}", ...misspelt }),
  "pluginActor()": () => pluginActor({ library: "/nowhere.so", ...misspelt }),
  "agentOS()": () => agentOS(misspelt),
  "setup()": () => setup({ use, ...misspelt }),
  "setup({ hosts })": () => setup({ use, hosts: { token: "secret", ...misspelt } }),
  "setup({ inspector })": () => setup({ use, inspector: misspelt }),
  "setup({ rateLimit })": () => setup({ use, rateLimit: misspelt }),
  "registry.start()": () => setup({ use }).start(misspelt),
  "registry.startHost()": () => setup({ use }).startHost({ ...engine, ...misspelt }),
  "startHost() of the edge": () => startHost({ use, ...engine, ...misspelt }),
  "createClient()": () => createClient({ endpoint: engine.endpoint, ...misspelt }),
  "createRelay()": () => createRelay(misspelt),
};

test.each(Object.keys(doors))(
  "S3.1 %s refuses an option that it doesn't know, by name, before anything starts",
  async (door) => {
    const refused = await (async () => await doors[door]?.())().catch((error: unknown) => error);
    expect(refused).toMatchObject({ name: expect.stringContaining("Error"), code: expect.any(String) });
    expect(String(refused)).toContain("durabilty");
  },
);

test.each([
  ["maxAwakeActors", { maxAwakeActors: 5 }],
  ["hosts", { hosts: { token: "x" } }],
  ["fetch", { fetch: () => new Response() }],
  ["rateLimit", { rateLimit: {} }],
  ["inspector", { inspector: {} }],
  ["plugins", { plugins: { start: () => {} } }],
  ["auth", { auth: "application" }],
  ["allowedHosts", { allowedHosts: ["example.com"] }],
  ["allowedOrigins", { allowedOrigins: ["https://example.com"] }],
  ["token", { token: "door" }],
] as const)("S3.1 what only an engine can obey is refused by a host, by name: %s", async (key, config) => {
  const program = { use, ...config } as Parameters<typeof setup>[0];
  await expect(setup(program).startHost({ ...engine, signals: false })).rejects.toMatchObject({
    code: "not_on_host",
    metadata: { key },
  });
});
