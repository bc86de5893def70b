/** Calls that are under way on a host that is lost: what their callers are told, and what is done about it. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { Driver } from "../driver/driver.ts";
import { watch } from "../driver/watch.ts";
import { startHost } from "./host.ts";

/** Hosts answer behind it. */
let answers = Promise.withResolvers<void>();

const bank = actor({
  state: { balance: 0 },
  actions: {
    pay: async (c, amount: number) => {
      await answers.promise;
      c.state.balance += amount;
      return c.state.balance;
    },
  },
});

async function engine() {
  answers = Promise.withResolvers();
  const driver = await Driver.start({ bank: remoteActor<typeof bank>() }, { hostToken: "secret" });
  const host = () => startHost({ world: driver.world, hosts: () => driver.runtime.hosts, use: { bank } });
  const first = host();
  await driver.world.idle();
  return { driver, host, first };
}

test("a call under a key whose host is lost is sent again by the client, and applied once; without a key it is told so", async () => {
  const { driver, host, first } = await engine();
  await using _ = driver;
  await using client = driver.client();
  const handle = client.bank.getOrCreate();
  const connection = handle.connect();
  await connection.ready;
  const pay = { name: "pay", args: [5] as const };
  const calls = [
    watch(handle.action({ ...pay, idempotencyKey: "k1" })),
    watch(connection.action({ ...pay, idempotencyKey: "k2" })),
    watch(handle.pay(1)),
    watch(connection.pay(1)),
  ];
  await driver.world.idle();
  first.client.close();
  host();
  await driver.world.idle();
  expect(calls.map((call) => call.code)).toEqual([undefined, undefined, "host.lost", "host.lost"]);
  expect(calls[2]?.error).toMatchObject({ metadata: { applied: "unknown" } });
  answers.resolve();
  await driver.world.pass(5_000);
  expect([calls[0]?.value, calls[1]?.value].toSorted()).toEqual([10, 5]);
  expect(await handle.pay(0)).toBe(10);
});
