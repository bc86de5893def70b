/** A list of who is here, as the docs have it: whoever is gone leaves it, however it went. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";

const room = actor({
  options: { sleepTimeout: 1_000, canHibernateWebSocket: true },
  state: { here: [] as string[] },
  types: {} as { connParams: { name: string } | undefined },
  createConnState: (_c, params) => ({ name: params?.name ?? "-" }),
  onConnect: (c, conn) => {
    if (!conn.isStateless) c.state.here.push(conn.state.name);
  },
  onDisconnect: (c, conn) => {
    if (!conn.isStateless) c.state.here = c.state.here.filter((name) => name !== conn.state.name);
  },
  onWebSocket: () => {},
  actions: { here: (c) => c.snapshot().here },
});

const ends = ["left while it slept", "lost by a crash while it slept", "lost by a crash while it was awake"];

for (const end of ends)
  test(`clients that were ${end} were connections, and leave the list of who is here`, async () => {
    await using driver = await Driver.start({ room });
    const { world } = driver;
    const here = async (): Promise<unknown> => {
      const { output } = await driver.act("room", "here");
      // Who has left does so as soon as the actor runs.
      await world.idle();
      return output;
    };
    const bob = driver.socket("/actor/room/connect").hello({ params: { name: "bob" } });
    const path = "/actor/room/websocket";
    const raw = new RawClient(world, driver.runtime.gateway, path);
    await world.idle();
    expect(await here()).toEqual(["-", "bob"]);
    if (!end.endsWith("awake")) await world.pass(1_000);
    if (end.startsWith("lost")) await driver.crash();
    else {
      bob.close();
      raw.close();
      await world.idle();
    }
    await here();
    expect(await here()).toEqual([]);
  });
