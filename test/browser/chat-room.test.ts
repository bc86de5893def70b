/** The main job on real input: two tabs of a real browser, one server, and kill -9 between. */
import { beforeAll, expect, test } from "vitest";
import { Example, needBuild } from "../examples/example.ts";
import { ChatTab } from "./chat-tab.ts";
import { Chromium, findChromium } from "./chromium.ts";

beforeAll(needBuild, 180_000);

test("two tabs talk, the server is killed with -9 and started again, and the history is there", async (context) => {
  const found = findChromium();
  if ("missing" in found) return context.skip(found.missing);
  await using example = await Example.start("chat-room");
  await using chromium = await Chromium.launch(found.path);

  const ada = await ChatTab.open(chromium, example.url, "Ada");
  await ada.seesPeople("Ada (you)");
  const bea = await ChatTab.open(chromium, example.url, "Bea");
  await Promise.all([ada.seesPeople("Ada (you)", "Bea"), bea.seesPeople("Ada", "Bea (you)")]);
  await ada.seesNote("Bea came in");

  await ada.begin("He");
  await bea.seesTyping("Ada");
  await ada.say("Hello <b>Bea</b>");
  await Promise.all([ada.sees("Hello <b>Bea</b>", "mine"), bea.sees("Hello <b>Bea</b>", "theirs")]);
  await bea.seesTypingEnd();
  await bea.say("Hello Ada");
  await Promise.all([bea.sees("Hello Ada", "mine"), ada.sees("Hello Ada", "theirs")]);

  await example.kill();
  await Promise.all([ada.reconnecting(), bea.reconnecting()]);
  await ada.say("Said while nobody was there");
  await ada.seesPending("Said while nobody was there");
  await example.restart();
  await Promise.all([ada.connected(), bea.connected()]);
  await bea.sees("Said while nobody was there", "theirs");
  await Promise.all([ada.seesPeople("Ada (you)", "Bea"), bea.seesPeople("Ada", "Bea (you)")]);

  await bea.say("Back again");
  await ada.sees("Back again", "theirs");
  // A tab that knows nothing has all of it from the server.
  const cleo = await ChatTab.open(chromium, example.url, "Cleo");
  await cleo.sees("Back again", "theirs");
  const all = ["Hello <b>Bea</b>", "Hello Ada", "Said while nobody was there", "Back again"];
  expect(await cleo.texts()).toEqual(all);
  expect(await ada.texts()).toEqual(all);
  expect(await bea.texts()).toEqual(all);

  // How a server that was killed looks from a browser, before the kill's own moment and after it.
  const killed = /ERR_(CONNECTION_(REFUSED|RESET|CLOSED)|EMPTY_RESPONSE)/;
  expect(chromium.complaints.filter((text) => !killed.test(text))).toEqual([]);
}, 90_000);

test("rooms are apart: what is said in another is unread, and who is there is not here", async (context) => {
  const found = findChromium();
  if ("missing" in found) return context.skip(found.missing);
  await using example = await Example.start("chat-room");
  await using chromium = await Chromium.launch(found.path);

  const ada = await ChatTab.open(chromium, example.url, "Ada");
  const bea = await ChatTab.open(chromium, example.url, "Bea");
  await ada.seesPeople("Ada (you)", "Bea");
  await bea.goTo("music");
  await ada.seesPeople("Ada (you)");
  await bea.seesPeople("Bea (you)");
  await ada.seesNote("Bea left");
  await bea.say("Listen to this");
  await bea.say("And to this");
  await ada.seesUnread("music", 2);
  await ada.goTo("music");
  await ada.sees("Listen to this", "theirs");
  await ada.seesPeople("Ada (you)", "Bea");

  await ada.page.getByLabel("Open a room").fill("Tea & Cake");
  await ada.page.getByLabel("Open a room").press("Enter");
  await ada.page.getByRole("heading", { name: "tea-cake" }).waitFor();
  await ada.connected();
  await ada.say("Just me");
  await ada.sees("Just me", "mine");
  // The name stays with the tab, the room with its address.
  await ada.page.reload();
  await ada.sees("Just me", "mine");
  expect(chromium.complaints).toEqual([]);
}, 90_000);

test("who sends too fast is told, and can try again", async (context) => {
  const found = findChromium();
  if ("missing" in found) return context.skip(found.missing);
  await using example = await Example.start("chat-room");
  await using chromium = await Chromium.launch(found.path);

  const ada = await ChatTab.open(chromium, example.url, "Ada");
  const burst = Array.from({ length: 12 }, (_, index) => `message ${index + 1} of a burst`);
  await ada.sayAtOnce(burst);
  await ada.page.locator(".failed").first().getByText("Not so fast").waitFor();
  await ada.tryAgainUntilSent();
  expect((await ada.texts()).sort()).toEqual(burst.sort());
}, 60_000);
