/** Cursors come, move and go with their connections. */
import { createClient } from "troupe/client";
import { beforeAll, expect, test } from "vitest";
import type { registry } from "../../examples/live-cursors/actor.ts";
import { Example, needBuild } from "./example.ts";

beforeAll(needBuild, 180_000);

test("everybody sees who points where, and who has left", async () => {
  await using example = await Example.start("live-cursors");
  const client = createClient<typeof registry>(example.url);
  const join = (name: string) => client.canvas.getOrCreate(["a"], { params: { name } }).connect();
  const ann = join("Ann");
  const moved = ann.events("moved");
  const left = ann.events("left");
  await ann.ready;

  const bo = join("Bo");
  await bo.move(3, 4);
  const [seen] = (await moved.next()).value ?? [];
  expect(seen).toMatchObject({ name: "Bo", x: 3, y: 4 });
  expect((await ann.cursors()).map(({ name, x }) => [name, x])).toEqual([
    ["Ann", 0],
    ["Bo", 3],
  ]);
  await bo.dispose();
  expect((await left.next()).value).toEqual([seen?.id]);
  expect(await ann.cursors()).toHaveLength(1);

  // Nothing is remembered of anybody; who is still there comes back by itself, with a place of its own.
  await example.kill();
  await example.restart();
  await ann.move(7, 8);
  expect(await ann.cursors()).toMatchObject([{ name: "Ann", x: 7, y: 8 }]);
  await client.dispose();
});

test("who has no name stays outside", async () => {
  await using example = await Example.start("live-cursors");
  const client = createClient<typeof registry>(example.url);
  await expect(client.canvas.getOrCreate(["a"]).cursors()).rejects.toMatchObject({ code: "no_name" });
});
