/** Log lines of a plugin's actors: their fields are fields of the host's log. */
import { createRelay } from "@troupe/relay/node";
import { setup } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { pluginActor } from "../../src/plugin-actor.ts";
import { pluginSet } from "../../src/plugin-set.ts";
import { writeLine } from "../../src/session/log-line.ts";
import { counterManifest } from "../support/counters.ts";
import { nodeLoad, PluginFolder } from "../support/plugin-folder.ts";

const quiet = { port: 0, signals: false, banner: false, durability: "memory" } as const;

const source = `const teller = actor({ actions: { tell: (c) => {
  c.log.warn("told", { n: 1, list: [1, 2], big: 1n, level: "own", plugin: "other", cause: new Error("why") });
  c.log.info("long", { text: "\\u0001".repeat(20_000), after: true });
} } });`;

/** Where each of them is run. */
const carriers = {
  isolate: [
    "isolate",
    'module = "main.ts"',
    `import { actor } from "troupe"; ${source} export default teller;`,
  ],
  worker: [
    "worker",
    nodeLoad("main.ts"),
    `import { actor } from ${JSON.stringify(import.meta.resolve("@troupe/runtime"))};
     import { serveWorker } from ${JSON.stringify(new URL("../../src/worker.ts", import.meta.url).href)};
     ${source} await serveWorker({ name: "counter", actors: { teller } });`,
  ],
} as const;

test.each(Object.entries(carriers))(
  "fields of an actor's line in %s stand beside its words, and none is taken for the host's own",
  async (_, [kind, load, program]) => {
    using folder = new PluginFolder();
    folder.write("main.ts", program);
    const manifest = counterManifest(folder, load, kind);
    const said: string[] = [];
    const write = vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
    const plugins = pluginSet({ relay: createRelay(), plugins: [{ manifest }] });
    const registry = setup({ use: { teller: pluginActor({ plugin: "counter" }) }, plugins });
    try {
      await registry.start(quiet);
      const teller = (await registry.client()).teller.getOrCreate("k");
      await teller.action({ name: "tell", args: [] });
    } finally {
      await registry.stop();
      write.mockRestore();
    }
    const lines = said
      .join("")
      .split("\n")
      .filter((line) => /"msg":"(told|long)"/.test(line));
    const [told, long] = lines.map((line): unknown => JSON.parse(line));
    const own = { plugin: "counter", actor: "teller" };
    const given = { n: 1, list: [1, 2], big: "1", level_: "own", plugin_: "other" };
    expect(told).toMatchObject({
      level: "warn",
      ...own,
      ...given,
      cause: expect.stringContaining("Error: why"),
    });
    expect(long).toMatchObject({ level: "info", ...own });
    expect(lines[1]?.length).toBeLessThan(9_000);
    expect(lines[1]).toContain(String.raw`\u0001\u0001`);
  },
);

test("what isn't an object of fields, or is too long, is told as text", () => {
  const said: unknown[] = [];
  const keep = (message: string, fields?: object): void => void said.push([message, fields]);
  const log = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  const line = { level: 2, message: "x" } as const;
  for (const fields of ["[1]", "{", `{"a":"${"b".repeat(10_000)}"}`, '{"msg":1,"__proto__":2}', undefined])
    writeLine(log, { line, fields });
  expect(said).toEqual([
    ["x", { fields: "[1]" }],
    ["x", { fields: "{" }],
    ["x", { fields: expect.stringMatching(/^\{"a":"b{8186}$/) }],
    [
      "x",
      Object.fromEntries([
        ["msg_", 1],
        ["__proto__", 2],
      ]),
    ],
    ["x", undefined],
  ]);
});
