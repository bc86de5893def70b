/** The inspector's page in a real browser: it finds an actor, and shows its state as it changes. */
import { mkdirSync } from "node:fs";
import { actor, setup } from "@troupe/runtime";
import { beforeAll, expect, test } from "vitest";
import { buildInspectorPage } from "../../tools/inspector-page.ts";
import { Chromium, findChromium } from "./chromium.ts";

beforeAll(() => buildInspectorPage());

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
  const memory = { dataDir: "unused", durability: "memory", signals: false, banner: false, port: 0 } as const;
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
