/** Sockets under an actor that somebody watches: they hibernate as those of one that nobody does. */
import { actor, type UniversalWebSocket } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver, type DriverOptions } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { look, TOKEN } from "../inspector/ground.ts";
import { Listener } from "../relay/listener.ts";

const watches = {
  "an inspector": { inspector: true, relay: false },
  "a relay": { inspector: false, relay: true },
  both: { inspector: true, relay: true },
};

for (const [by, { inspector, relay }] of Object.entries(watches)) {
  test(`S2.7 (in part) an actor watched by ${by} sleeps under its sockets, connections and raw ones, and is watched on`, async () => {
    const listener = new Listener();
    const options: DriverOptions = {
      ...(inspector ? { inspector: { token: TOKEN, write: false } } : {}),
      ...(relay ? { relay: listener.relay } : {}),
    };
    const chat = actor({
      options: { sleepTimeout: 1_000 },
      onWebSocket: (_c, websocket: UniversalWebSocket) => {
        websocket.onmessage = ({ data }) => websocket.send(`heard ${String(data)}`);
      },
      actions: {
        hibernatable: (c) => [...c.conns.values()].map(({ isHibernatable }) => isHibernatable),
        nap: (c) => c.sleep(),
      },
    });
    await using driver = await Driver.start({ chat }, options);
    const raw = new RawClient(driver.world, driver.runtime.gateway, "/actor/chat/websocket").say("a");
    const socket = driver.socket("/actor/chat/connect").hello();
    await driver.world.idle();
    expect((await driver.act("chat", "hibernatable")).output).toEqual([true, true]);
    // Asked for by its code, and by being idle.
    await driver.act("chat", "nap");
    await driver.world.idle();
    expect([driver.runtime.host.size, raw.closed, socket.closed]).toEqual([0, undefined, undefined]);
    raw.say("b");
    await driver.world.pass(1_000);
    expect([driver.runtime.host.size, raw.closed, socket.closed]).toEqual([0, undefined, undefined]);
    socket.action(1, "hibernatable");
    await driver.world.idle();
    expect(raw.heard).toEqual(["heard a", "heard b"]);
    expect(socket.story).toContain("reply 1 [true,true]");
    // A call of a socket that was resumed is seen as any other.
    const { actorId = "" } = await driver.http("POST", "/actor/chat/resolve");
    if (inspector) {
      const { calls } = (await look(driver, `/actors/${actorId}/calls`)).body;
      expect(calls.filter(({ action }: { action: string }) => action === "hibernatable")).toHaveLength(2);
    }
    const ends = (await listener.story()).filter((line) => line === "end chat.hibernatable");
    expect(ends).toHaveLength(relay ? 2 : 0);
  });
}
