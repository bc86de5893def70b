/** A promise of a reminder outlives the process that made it. */
import { createClient } from "troupe/client";
import { beforeAll, expect, test } from "vitest";
import type { registry } from "../../examples/reminders/actor.ts";
import { Example, needBuild } from "./example.ts";

beforeAll(needBuild, 180_000);

test("what came due while the process was dead comes when it lives again", async () => {
  await using example = await Example.start("reminders");
  await using client = createClient<typeof registry>(example.url);
  const ann = client.reminders.getOrCreate(["ann"]);
  await ann.remind("tea", Date.now() + 200);
  const later = await ann.remind("supper", Date.now() + 3_600_000);
  await example.kill();
  await example.restart();

  const connection = ann.connect();
  const due = connection.events("due");
  const unread = await connection.unread();
  // It may have come before anybody listened.
  if (unread.length === 0) expect((await due.next()).value?.[0]).toMatchObject({ text: "tea" });
  expect(await connection.unread()).toEqual(["tea"]);
  expect(await connection.pending()).toMatchObject([{ id: later, text: "supper" }]);
  expect(await connection.forget(later)).toBe(true);
  expect(await connection.pending()).toEqual([]);
});

test("the digest comes at eight in Berlin", async () => {
  await using example = await Example.start("reminders");
  await using client = createClient<typeof registry>(example.url);
  const next = await client.reminders.getOrCreate(["ann"]).nextDigest();
  const time = new Date(next ?? 0).toLocaleTimeString("de", {
    timeZone: "Europe/Berlin",
    timeStyle: "short",
  });
  expect(time).toBe("08:00");
});
