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

/** A world of a host's own: its errors are noted apart. */
function hostWorld(engine: World): { readonly world: World; readonly told: Said[] } {
  const told: Said[] = [];
  const error = (message: string, fields: Said["fields"]) => told.push({ message, fields });
  const log = { value: { ...engine.log, error } };
  return { world: Object.create(engine, { log }), told };
}

interface Said {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

test("an action's error is in its host's log with its stack, and in the engine's without one, under the id that the caller gets", async () => {
  const driver = await Driver.start({ buggy: remoteActor<typeof buggy>() }, { hostToken: "secret" });
  await using _ = driver;
  const { world, told } = hostWorld(driver.world);
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
    expect(line?.fields["cause"]).toMatchObject({ stack: expect.stringContaining("failure-log.test.ts") });
    const id = line?.fields["id"];
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

test("an actor that can't start is a line a minute in its host's log, with the id that the engine's line and its callers have", async () => {
  const shop = actor({
    onCreate: () => deep(),
    actions: { open: () => 1 },
  });
  await using driver = await Driver.start({ shop: remoteActor<typeof shop>() }, { hostToken: "secret" });
  const { world, told } = hostWorld(driver.world);
  startHost({ world, hosts: () => driver.runtime.hosts, use: { shop } });
  await driver.world.idle();
  const open = async (): Promise<unknown> =>
    Object((await driver.act("shop?key=a", "open")).error?.metadata).id;
  const ids = [await open(), await open(), await open()];
  const [line, ...more] = told;
  expect([line?.message, more]).toEqual(["an actor failed to start", []]);
  expect(line?.fields).toMatchObject({ actor: "shop", key: ["a"], cause: { message: "a secret" } });
  const id = line?.fields["id"];
  expect(ids).toEqual([id, id, id]);
  expect(driver.world.logged("error", "an actor failed to start").map(({ fields }) => fields["id"])).toEqual([
    id,
  ]);
  await driver.world.pass(60_000);
  const later = await open();
  expect(told.slice(1)).toMatchObject([{ fields: { id: later } }]);
});
