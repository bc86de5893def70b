/** An error of an action on a host: where it was thrown is in the log of that host, under the id that its caller gets. */
import { TroupeError } from "@troupe/base";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { remoteActor } from "../../src/remote/remote-actor.ts";
import { Driver } from "../driver/driver.ts";
import type { World } from "../driver/world.ts";
import { startHost } from "./host.ts";

function deep(): never {
  throw new Error("a secret");
}

const buggy = actor({
  state: {},
  actions: {
    boom: () => deep(),
    typed: () => {
      throw new TroupeError("shop", "broken", "a secret", { public: false, metadata: { till: 1 } });
    },
  },
});

test("an action's error is in its host's log with its stack, and in the engine's without one, under the id that the caller gets", async () => {
  const driver = await Driver.start({ buggy: remoteActor<typeof buggy>() }, { hostToken: "secret" });
  await using _ = driver;
  const told: { readonly id: unknown; readonly cause: unknown }[] = [];
  const world: World = Object.create(driver.world, {
    log: {
      value: {
        ...driver.world.log,
        error: (_: string, { id, cause }: { id: unknown; cause: unknown }) => told.push({ id, cause }),
      },
    },
  });
  startHost({ world, hosts: () => driver.runtime.hosts, use: { buggy } });
  await driver.world.idle();
  for (const [action, error] of [
    ["boom", "internal.error"],
    ["typed", "shop.broken"],
  ] as const) {
    const answer = await driver.act("buggy", action);
    expect(answer).toMatchObject({ status: 500, code: "internal.error" });
    const [line, ...more] = told.splice(0);
    expect(more).toEqual([]);
    expect(line?.cause).toMatchObject({ stack: expect.stringContaining("failure-log.test.ts") });
    const id = line?.id;
    expect(answer.error).toMatchObject({ message: "Internal error" });
    expect(answer.error?.metadata).toEqual({ id });
    const [engines, ...others] = driver.world.logged("error", "").splice(0);
    expect([engines?.fields, others]).toMatchObject([
      { actor: "buggy", action, id, error, why: "a secret" },
      [],
    ]);
    expect(engines?.fields).not.toHaveProperty("cause");
    driver.world.lines.splice(0);
  }
});
