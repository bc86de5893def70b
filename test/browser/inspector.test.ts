/** The inspector's page in a real browser: it finds an actor, and shows its state as it changes. */
import { mkdirSync } from "node:fs";
import { pluginActor, pluginSet } from "@troupe/plugins";
import { actor, db, setup } from "@troupe/runtime";
import { beforeAll, expect, test } from "vitest";
import { counterManifest, counterWorker } from "../../packages/plugins/test/support/counters.ts";
import { PluginFolder } from "../../packages/plugins/test/support/plugin-folder.ts";
import { PluginWorld } from "../../packages/plugins/test/support/plugin-world.ts";
import { buildInspectorPage } from "../../tools/inspector-page.ts";
import { Chromium, findChromium } from "./chromium.ts";

beforeAll(() => buildInspectorPage());

const memory = { dataDir: "unused", durability: "memory", signals: false, banner: false, port: 0 } as const;

const room = actor({
  state: { topic: "lobby", members: [] as string[], visits: 0 },
  actions: {
    join: (c, name: string) => {
      c.state.members.push(name);
      c.state.visits += 1;
      return c.schedule.after(600_000, "leave", name).then(() => c.state.visits);
    },
    leave: (c, name: string) => {
      c.state.members = c.state.members.filter((member) => member !== name);
    },
  },
});

test("a page finds an actor, and sees its state change while it is looked at", async (context) => {
  const found = findChromium();
  if ("missing" in found) return context.skip(found.missing);
  const registry = setup({ use: { room }, inspector: { token: "for people" } });
  const { endpoint } = await registry.start(memory);
  try {
    const client = await registry.client();
    const lobby = client.room.getOrCreate(["lobby", "<b>first</b>"]);
    await lobby.join("ann");
    await client.room.getOrCreate("kitchen").join("bob");
    await using chromium = await Chromium.launch(found.path);
    const tab = await chromium.open(`${endpoint}/inspector/ui`, { viewport: { width: 1280, height: 720 } });

    await tab.fill("#token", "a wrong one");
    await tab.click("#door button");
    await tab.waitForFunction(() =>
      document.querySelector("#refused")?.textContent?.includes("unauthorized"),
    );
    await tab.fill("#token", "for people");
    await tab.click("#door button");
    // What an actor is called is text.
    await tab.click('#actors button:has-text("lobby/<b>first</b>")');
    await tab.waitForSelector('td:has-text("visits") + td:has-text("1")');
    // No tabs of what it hasn't: queues, workflows, a database.
    expect(await tab.locator('[role="tab"]').allTextContents()).toEqual([
      ...["state", "calls", "connections", "kv", "schedules", "options"],
    ]);

    await lobby.join("<img src=x onerror=alert(1)>");
    await tab.waitForSelector('td:has-text("visits") + td:has-text("2")');
    await tab.waitForSelector('td:has-text("members") + td:has-text("onerror")');
    await shoot(tab, "state");

    await tab.click('[role="tab"]:has-text("calls")');
    await tab.waitForSelector('td:has-text("join")');
    await lobby.join("cay");
    await tab.waitForFunction(() => document.querySelectorAll("#body tbody tr").length === 3);
    await shoot(tab, "calls");
    await tab.click('[role="tab"]:has-text("schedules")');
    await tab.waitForSelector('td:has-text("leave")');
    await tab.fill("#prefix", "kit");
    await tab.waitForFunction(() => document.querySelectorAll("#actors li").length === 1);
    // The one that a wrong token was answered with.
    expect(chromium.complaints.filter((text) => !text.includes("401"))).toEqual([]);
  } finally {
    await registry.stop();
  }
}, 60_000);

test("the database of an actor is listed by its tables, and a click shows what is in one", async (context) => {
  const found = findChromium();
  if ("missing" in found) return context.skip(found.missing);
  const ledger = actor({
    db: db({ migrations: ['CREATE TABLE "odd entry" (id INTEGER PRIMARY KEY, note TEXT)'] }),
    actions: {
      add: async (c, note: string) => {
        await c.db.execute('INSERT INTO "odd entry" (note) VALUES (?)', note);
      },
    },
  });
  using folder = new PluginFolder();
  const registry = setup({ use: { ledger }, inspector: { token: "for people" } });
  const { endpoint } = await registry.start({ ...memory, durability: "commit", dataDir: folder.path });
  try {
    await (await registry.client()).ledger.getOrCreate("a").add("from ann");
    await using chromium = await Chromium.launch(found.path);
    const tab = await chromium.open(endpoint, { viewport: { width: 1280, height: 720 } });
    await tab.click('a:has-text("The inspector")');
    await tab.fill("#token", "for people");
    await tab.click("#door button");
    await tab.click('#actors button:has-text("ledger")');
    await tab.click('[role="tab"]:has-text("database")');
    await tab.waitForSelector('.tables li:has-text("id INTEGER, note TEXT")');
    await tab.click('.tables button:has-text("odd entry")');
    await tab.waitForSelector('td:has-text("from ann")');
    await shoot(tab, "database");
    expect(chromium.complaints).toEqual([]);
  } finally {
    await registry.stop();
  }
}, 60_000);

test("plugins of the program are a view of their own, which a crash changes while it is looked at", async (context) => {
  const found = findChromium();
  if ("missing" in found) return context.skip(found.missing);
  using world = new PluginWorld();
  using folder = new PluginFolder();
  folder.write("main.ts", counterWorker());
  const manifests = [
    world.worker("curfew", "nothing is removed here"),
    counterManifest(folder, 'runtime = "node"\nentrypoint = "main.ts"'),
    world.manifest("absent", {
      kind: "worker",
      load: 'runtime = "node"\nentrypoint = "gone.ts"',
      keys: 'startup = "optional"',
    }),
  ];
  const plugins = pluginSet({ relay: world.relay, plugins: manifests.map((manifest) => ({ manifest })) });
  const use = { counter: pluginActor({ plugin: "counter" }) };
  const registry = setup({ use, plugins, inspector: { token: "for people" } });
  const { endpoint } = await registry.start(memory);
  try {
    const client = await registry.client();
    const tally = client.counter.getOrCreate(["a"]);
    await tally.action({ name: "increment", args: [1] });
    await world.refusal();
    await using chromium = await Chromium.launch(found.path);
    const tab = await chromium.open(`${endpoint}/inspector/ui`, { viewport: { width: 1280, height: 720 } });
    await tab.fill("#token", "for people");
    await tab.click("#door button");
    await tab.click('#plugins:has-text("Plugins")');
    const row = (id: string) => `#body tr:has(td:text-is("${id}"))`;
    await tab.waitForSelector(`${row("curfew")}:has(.dot.running):has-text("worker")`);
    expect(await tab.textContent(row("curfew"))).toMatch(/^curfew1\.0\.0workerrunning\d+000$/);
    await tab.waitForSelector(`${row("absent")}:has(.dot.disabled):has-text("plugin.file_missing")`);
    await tab.waitForSelector(`${row("counter")}:has(.dot.running)`);
    await shoot(tab, "plugins");
    await expect(tally.action({ name: "crash", args: [] })).rejects.toMatchObject({ code: "worker_exited" });
    await tab.waitForSelector(`${row("counter")}:has-text("plugin.worker_exited")`);
    await shoot(tab, "plugins-degraded");
    // It is back, and what it was stays told.
    await tab.waitForSelector(`${row("counter")}:has(.dot.running) td:nth-child(8):text-is("1")`);
    await shoot(tab, "plugins-again");
    await tab.click('#actors button:has-text("counter")');
    await tab.waitForSelector('[role="tab"]:has-text("state")');
    expect(chromium.complaints).toEqual([]);
  } finally {
    await registry.stop();
  }
}, 120_000);

/** A picture for people, where one is asked for. */
async function shoot(
  tab: { screenshot(options: { path: string }): Promise<unknown> },
  name: string,
): Promise<void> {
  const folder = process.env.TROUPE_TEST_PICTURES;
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await tab.screenshot({ path: `${folder}/inspector-${name}.png` });
}
