/**
 * A server to be killed, whose actor takes payments with idempotency keys and does what was put off to a time.
 *
 *   node --conditions=troupe-source bank.ts DATA_DIRECTORY [PORT]
 *
 * Prints `ready <endpoint>`, and `done <key>` when an actor has done such a thing.
 */
import { flushCompileCache } from "node:module";
import { actor, setup } from "troupe";

const account = actor({
  state: { balance: 0, payments: 0, done: {} as Record<string, number> },
  actions: {
    /** Its answer is another one each time that it runs. */
    pay: (c, amount: number) => {
      c.state.balance += amount;
      c.state.payments += 1;
      return { payment: c.state.payments, balance: c.state.balance };
    },
    at: async (c, time: number, name: string) => {
      await c.schedule.at(time, "carryOut", name);
    },
    carryOut: (c, name: string) => {
      c.state.done[name] = (c.state.done[name] ?? 0) + 1;
      console.log(`done ${c.key.join()}`);
    },
    read: (c) => c.snapshot(),
  },
});

export const registry = setup({ use: { account } });

if (import.meta.main) {
  const [dataDir, port = "0"] = process.argv.slice(2);
  if (dataDir === undefined) throw new Error("node bank.ts DATA_DIRECTORY [PORT]");
  // This process ends by a kill, which would leave the cache unwritten.
  flushCompileCache();
  const server = await registry.start({ port: Number(port), dataDir, durability: "commit" });
  console.log(`ready ${server.endpoint}`);
}
