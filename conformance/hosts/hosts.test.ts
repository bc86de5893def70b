/**
 * One suite for every place where an actor's code may be, in both encodings, and the table that says what differs. Another
 * kind of host is another entry of `cells`.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createClient } from "@troupe/client";
import { remoteActor, type ServerlessPool, setup } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { bundle, EdgeHost } from "../../packages/runtime/test/edge/workerd.ts";
import { FunctionPlatform } from "../../packages/runtime/test/remote/function-platform.ts";
import { actors } from "./actors.ts";
import { hostKit, outcomes } from "./host-kit.ts";

const TOKEN = "kit";
const quiet = { port: 0, durability: "memory", signals: false, banner: false } as const;

interface Cell extends AsyncDisposable {
  readonly endpoint: string;
}

const remote = Object.fromEntries(
  Object.keys(actors).map((name) => [name, remoteActor({ database: name === "ledger" })]),
);

async function engineWith(
  start: (endpoint: string) => Promise<() => unknown>,
  serverless: readonly ServerlessPool[] = [],
): Promise<Cell> {
  const registry = setup({ use: remote, hosts: { token: TOKEN, serverless } });
  const { endpoint } = await registry.start(quiet);
  const stop = await start(endpoint);
  return {
    endpoint,
    async [Symbol.asyncDispose]() {
      await stop();
      await registry.stop();
    },
  };
}

/** An engine that has functions of this program started, each for so long. */
async function functionsOf(platform: FunctionPlatform, lifespanMs: number): Promise<Cell> {
  return await engineWith(
    async (endpoint) => {
      vi.stubEnv("TROUPE_ENDPOINT", endpoint);
      vi.stubEnv("TROUPE_HOSTS_TOKEN", TOKEN);
      const program = setup({ use: actors });
      platform.handler = (request) => program.handler(request);
      return async () => {
        vi.unstubAllEnvs();
        await platform[Symbol.asyncDispose]();
      };
    },
    [{ pool: "default", url: platform.url, lifespanMs }],
  );
}

/** Where an actor's code may be. A title is a column of the table. */
const cells: Readonly<Record<string, () => Promise<Cell>>> = {
  embedded: async () => {
    const registry = setup({ use: actors });
    const { endpoint } = await registry.start(quiet);
    return { endpoint, [Symbol.asyncDispose]: () => registry.stop() };
  },
  "Node host": () =>
    engineWith(async (endpoint) => {
      const host = await setup({ use: actors }).startHost({ endpoint, token: TOKEN, signals: false });
      return () => host.close();
    }),
  workerd: () =>
    engineWith(async (endpoint) => {
      const script = await bundle("../../../../conformance/hosts/worker.ts");
      const [host, said] = await EdgeHost.start(script, { ENGINE: endpoint, TOKEN });
      expect(said).toBe("data: ready\n\n");
      return () => host[Symbol.asyncDispose]();
    }),
  serverless: async () => await functionsOf(await FunctionPlatform.start(), 60_000),
};

/** By cell, what each row is there, in both encodings the same. */
const found: Record<string, Record<string, string>> = {};

test.each(Object.keys(cells))("%s: every story, in JSON and in CBOR", { timeout: 120_000 }, async (name) => {
  for (const encoding of ["json", "cbor"] as const) {
    const open = cells[name];
    if (open === undefined) throw new Error(`there is no cell ${name}`);
    await using cell = await open();
    const said = await outcomes(cell.endpoint, encoding);
    expect([encoding, said]).toEqual([encoding, found[name] ?? said]);
    found[name] = said;
  }
});

test.for(["json", "cbor"] as const)(
  "serverless, in %s: a function drains when its lifespan is over, and no caller notices",
  {
    timeout: 120_000,
  },
  async (encoding) => {
    const platform = await FunctionPlatform.start();
    await using cell = await functionsOf(platform, 1_000);
    const client = createClient({ endpoint: cell.endpoint, encoding });
    const add = { name: "add", args: [1] };
    let calls = 0;
    // In the second one and behind its beginning, and so in the first one up to its end.
    while (platform.starts < 2 || calls < 5) {
      calls += 1;
      expect(await client.getOrCreate("plain", ["lasting"]).action(add)).toBe(calls);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    await client.dispose();
  },
);

test("the table of the docs says what the stories found", () => {
  const columns = Object.keys(cells);
  const rows = Object.keys(hostKit).map((row) => [
    row,
    ...columns.map((cell) => found[cell]?.[row] ?? "untold"),
  ]);
  const line = (texts: readonly string[]) => `| ${texts.join(" | ")} |`;
  const table = [["", ...columns], ["---", ...columns.map(() => "---")], ...rows].map(line).join("\n");
  expect(readFileSync(join(import.meta.dirname, "../../docs/host-parity.md"), "utf8")).toContain(table);
});
