/** kill -9 of an engine in the middle of a call with a key, whose actor is on a host: nothing of it is applied twice. */
import { execFileSync } from "node:child_process";
import { createClient } from "@troupe/client";
import { setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { codeOf } from "../driver/watch.ts";
import { ServerProcess } from "../node/server-process.ts";
import { temporaryDirectory } from "../storage/test-env.ts";
import type { Engine } from "./engine-child.ts";
import { ledger, place } from "./killed-ledger.ts";

/** What a call came to that was under way when its engine was killed, and was sent again to the next; and what is there. */
async function killedIn(name: "pay" | "payAndWait"): Promise<{ outcome: unknown; sums: unknown }> {
  using directory = temporaryDirectory();
  using first = new ServerProcess("../remote/engine-child.ts", directory.path);
  const { port } = await first.heard("port");
  const endpoint = `http://127.0.0.1:${port}`;
  await using client = createClient<Engine>(endpoint);
  const handle = client.ledger.getOrCreate(["a"]);
  const host = await setup({ use: { ledger } }).startHost({ endpoint, token: "secret", signals: false });
  try {
    await handle.pay(1);
    const killed = Promise.withResolvers<void>();
    place.pass = async () => {
      place.pass = () => {};
      // In the call's own turn: the engine goes on meanwhile, and what it takes for a whole turn it stores.
      askInAnotherProcess(`${endpoint}/livez`);
      killed.resolve(first.ended("SIGKILL").then(() => {}));
      await killed.promise;
    };
    const call = handle
      .action({ name, args: [5], idempotencyKey: "order-1138", timeoutMs: 40_000 })
      .catch((error: unknown) => codeOf(error));
    await killed.promise;
    using second = new ServerProcess("../remote/engine-child.ts", directory.path, `${port}`);
    await second.heard("port");
    return { outcome: await call, sums: await handle.sums() };
  } finally {
    host.close();
  }
}

function askInAnotherProcess(url: string): void {
  execFileSync(process.execPath, ["--input-type=module", "-e", `await fetch(${JSON.stringify(url)})`]);
}

test("in a call of one turn: none of it is there, the client sends it again, and it runs once", async () => {
  expect(await killedIn("pay")).toEqual({ outcome: 6, sums: [6, 6] });
}, 60_000);

test("behind the first of two turns: that one is there, and the call that comes again is told so", async () => {
  expect(await killedIn("payAndWait")).toEqual({ outcome: "actor.idempotency_cut_off", sums: [1, 6] });
}, 60_000);
