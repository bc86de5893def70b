/** Every door leads to an actor by one way: the same activation, and the same error where there is none. */
import { UserError } from "@troupe/base";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { codeOf, Latch } from "../driver/watch.ts";

const doors = {
  onRequest: () => new Response("here"),
  onWebSocket: (_c: unknown, websocket: { send(text: string): void }) => websocket.send("here"),
  actions: { where: () => "here" },
};

const there = actor(doors);
const guarded = actor({
  ...doors,
  onBeforeConnect: () => {
    throw new UserError("no", { code: "not_you" });
  },
});
const failing = actor({
  ...doors,
  onWake: () => {
    throw new Error("secret");
  },
});
const closed = actor({
  ...doors,
  onWake: () => {
    throw new UserError("closed", { code: "closed" });
  },
});

type Doors = Driver<{ there: typeof there }>;

/** What each door says of an actor: an answer, or `group.code`. */
async function ask(
  driver: Pick<Doors, "act" | "fetch" | "socket" | "world" | "runtime">,
  name: string,
  query: string,
) {
  const raw = query.replaceAll(/(key|method)=/g, "troupe-$1=");
  const action = await driver.act(`${name}?${query}`, "where");
  const request = await driver.fetch(`/actor/${name}/request?${raw}`);
  const text = await request.text();
  const socket = driver.socket(`/actor/${name}/connect?${query}`).hello().action(1, "where");
  const rawSocket = new RawClient(driver.world, driver.runtime.gateway, `/actor/${name}/websocket?${raw}`);
  await driver.world.until(
    () => socket.frames.length > 0 && (rawSocket.heard.length > 0 || rawSocket.closed !== undefined),
  );
  await driver.world.idle();
  return {
    action: action.code ?? action.output,
    request: request.ok ? text : codeOf((JSON.parse(text) as { error: unknown }).error),
    socket: socket.story
      .at(-1)
      ?.replace(/^(refusal |reply 1 )/, "")
      .replaceAll('"', ""),
    rawSocket: rawSocket.closed?.reason ?? rawSocket.heard[0],
  };
}

function all(answer: string) {
  return { action: answer, request: answer, socket: answer, rawSocket: answer };
}

test("S2.2: actions, connections, raw HTTP and raw WebSockets load an actor by one way, and say the same where they can't", async () => {
  await using driver = await Driver.start({ there, guarded, failing, closed });
  expect(await ask(driver, "there", "key=a")).toEqual(all("here"));
  expect(await ask(driver, "there", "key=nobody&method=get")).toEqual(all("actor.not_found"));
  expect(await ask(driver, "failing", "key=a")).toEqual(all("actor.start_failed"));
  expect(await ask(driver, "closed", "key=a")).toEqual(all("user.closed"));
  expect(await ask(driver, "guarded", "key=a")).toEqual(all("user.not_you"));
  expect(await ask(driver, "nobody", "key=a")).toEqual(all("actor.not_registered"));
});

test("S2.2: whoever comes while it wakes waits for the one start, whatever the door", async () => {
  const waking = new Latch();
  let starts = 0;
  const slow = actor({
    ...doors,
    onWake: async () => {
      starts += 1;
      await waking.promise;
    },
  });
  await using driver = await Driver.start({ slow });
  const action = driver.act("slow?key=a", "where");
  const request = driver.fetch("/actor/slow/request?troupe-key=a");
  const socket = driver.socket("/actor/slow/connect?key=a").hello().action(1, "where");
  const raw = new RawClient(driver.world, driver.runtime.gateway, "/actor/slow/websocket?troupe-key=a");
  await driver.world.idle();
  expect([starts, socket.story, raw.heard]).toEqual([1, [], []]);
  waking.open();
  expect([(await action).output, await (await request).text()]).toEqual(["here", "here"]);
  await driver.world.idle();
  expect([starts, socket.story, raw.heard]).toEqual([1, ["welcome", 'reply 1 "here"'], ["here"]]);
});
