/** What is promised once holds over kills: payments with idempotency keys, and what was put off to a time. */
import { join } from "node:path";
import { createClient } from "troupe/client";
import { expect, test } from "vitest";
import { moment } from "../power-loss/child.ts";
import { startServer } from "../power-loss/harness.ts";
import { Random, seedOfThisRun } from "../power-loss/random.ts";
import { bundleServer } from "../power-loss/server-bundle.ts";
import type { registry } from "./bank.ts";
import { PlainGround } from "./plain-ground.ts";

const SERVER = [bundleServer(join(import.meta.dirname, "bank.ts"))];
const KILLS = 6;
const LANES = 4;

interface Payment {
  readonly payment: number;
  readonly balance: number;
}

function clientOf(endpoint: string) {
  return createClient<typeof registry>({
    endpoint,
    retry: { baseMs: 10, maxMs: 50, deadlineMs: 30_000 },
  });
}

test("payments with idempotency keys are made once and answered alike, however often the server is killed between", {
  timeout: 120_000,
}, async () => {
  const seed = seedOfThisRun();
  const replay = `TROUPE_TEST_SEED=${seed}`;
  const random = new Random(seed);
  using ground = new PlainGround();
  let child = startServer(ground, SERVER);
  const endpoint = await child.line("ready ");
  await using client = clientOf(endpoint);
  const account = client.account.getOrCreate("a");
  const pay = (key: string): Promise<Payment> =>
    account.action<Payment>({ name: "pay", args: [1], idempotencyKey: key });
  const answers = new Map<string, Payment>();
  let killing = true;
  let repeated = 0;
  // Each lane makes new payments, and old ones again, whatever becomes of the server meanwhile.
  const lane = async (name: number): Promise<void> => {
    for (let n = 0; killing; n += 1) {
      const key = `${name}.${n}`;
      answers.set(key, await pay(key));
      const [known, answer] = random.pick([...answers]);
      expect(await pay(known), replay).toEqual(answer);
      repeated += 1;
    }
  };
  try {
    const lanes = Array.from({ length: LANES }, (_, n) => lane(n));
    for (let kill = 0; kill < KILLS; kill += 1) {
      const enough = answers.size + 2 * LANES;
      while (answers.size < enough) await moment(5);
      await moment(random.between(0, 100));
      await child.kill();
      child = startServer(ground, SERVER, [new URL(endpoint).port]);
      await child.line("ready ");
    }
    killing = false;
    await Promise.all(lanes);
    await child.kill();
    child = startServer(ground, SERVER, [new URL(endpoint).port]);
    await child.line("ready ");
    for (const [key, answer] of answers) expect(await pay(key), replay).toEqual(answer);
    const { payments, balance } = await account.read();
    expect([payments, balance], replay).toEqual([answers.size, answers.size]);
    expect(new Set([...answers.values()].map(({ payment }) => payment)).size, replay).toBe(answers.size);
    expect(repeated, replay).toBeGreaterThan(KILLS);
  } finally {
    killing = false;
    await child.kill();
  }
});

test("what fell due while the process was dead is carried out once after the restart, and never again", {
  timeout: 120_000,
}, async () => {
  const random = new Random(seedOfThisRun());
  using ground = new PlainGround();
  let child = startServer(ground, SERVER);
  let dueWhileDead = 0;
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      const endpoint = await child.line("ready ");
      await using client = clientOf(endpoint);
      const due = Date.now() + random.between(300, 600);
      // Acknowledged: it is promised. One actor each, which nobody calls before it is done.
      await client.account.getOrCreate(`at ${kill}`).at(due, "it");
      await child.kill();
      // On a machine that is busy it may have been done before the kill, and may have to be done again.
      const wasDone = child.lines.includes(`done at ${kill}`);
      if (!wasDone) dueWhileDead += 1;
      while (Date.now() <= due) await moment(due - Date.now() + 1);
      child = startServer(ground, SERVER);
      await using next = clientOf(await child.line("ready "));
      for (let earlier = 0; earlier <= kill; earlier += 1) {
        const account = next.account.getOrCreate(`at ${earlier}`);
        await expect
          .poll(() => account.read().then(({ done }) => done), { timeout: 20_000 })
          .toEqual({ it: 1 });
      }
    }
    expect(dueWhileDead).toBeGreaterThan(0);
  } finally {
    await child.kill();
  }
});
