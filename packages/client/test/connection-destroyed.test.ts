/** An actor that was destroyed: its connections end with it. */
import { expect, test } from "vitest";
import { stage } from "./support/room.ts";
import { watch } from "./support/world.ts";

test("a destroyed actor ends the connection: what was sent is unknown, what wasn't fails, nobody reconnects", async () => {
  const { world, gateway, client } = stage();
  const conn = client.room.getOrCreate("a").connect();
  const errors: string[] = [];
  conn.onError((error) => void errors.push(`${error.group}.${error.code}`));
  const closes: string[] = [];
  conn.onClose(() => void closes.push(conn.connStatus));
  const link = await gateway.accept();
  const sent = watch(conn.say("sent"));
  const refused = watch(conn.act());
  const stopping = { group: "actor", code: "stopping", message: "", retryable: true };
  await link.say({ kind: "error", id: link.idOf("act"), error: stopping });
  const queued = watch(conn.act());
  await link.drop(1000, "actor.destroyed");
  expect(sent.code).toBe("client.outcome_unknown");
  expect([refused.code, queued.code]).toEqual(["actor.destroyed", "actor.destroyed"]);
  expect(errors).toEqual(["actor.destroyed"]);
  expect(conn.connStatus).toBe("disconnected");
  expect(closes).toEqual(["disconnected"]);
  await world.pass(600_000);
  expect(gateway.dials).toHaveLength(1);
  await expect(conn.act()).rejects.toMatchObject({ group: "actor", code: "destroyed" });
});

test("an actor that only throws its client out is connected to again", async () => {
  const { world, gateway, client } = stage();
  client.room.get("a").connect();
  await (await gateway.accept()).drop(1000, "kicked");
  await world.pass(250);
  expect(gateway.dials).toHaveLength(2);
});
