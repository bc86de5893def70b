/** Removals that the disk refuses: how many are known, and how often they are tried. */
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { GiveBack } from "../../src/host/give-back.ts";
import { MemoryDirectory } from "../../src/ports/memory/directory.ts";
import { MemoryStorage } from "../../src/ports/memory/storage.ts";
import { World } from "../driver/world.ts";

/** A directory that removes nobody. */
class FullDirectory extends MemoryDirectory {
  override async destroy(): Promise<void> {
    throw new Error("disk full");
  }
}

function ground(lookFor: (actorId: string) => Promise<void>) {
  const world = new World();
  const left: string[] = [];
  const giveBack = new GiveBack({
    env: world,
    directory: new FullDirectory({ env: world }),
    storage: new MemoryStorage({ env: world }),
    lookFor,
    leave: (actorId) => void left.push(actorId),
  });
  const refuse = (id: string) =>
    giveBack.notStarted({ id, namespace: "default", name: "counter", key: [], createdAt: 0 }, 1, "unmade");
  return { world, left, giveBack, refuse };
}

test("so many are known; those past it are left to whoever rings or asks", async () => {
  const { left, refuse } = ground(async () => {});
  for (let count = 0; count < limits.removalsHeld; count += 1) await refuse(`${count}`);
  expect(left).toEqual([]);
  await refuse("0");
  await refuse("one too many");
  expect(left).toEqual(["one too many"]);
});

test("what is refused is tried ever more rarely, and no more once the host has stopped", async () => {
  let tries = 0;
  const { world, giveBack, refuse } = ground(async () => {
    tries += 1;
    throw new Error("disk full");
  });
  await refuse("one");
  await world.pass(3_600_000);
  expect(tries).toBeGreaterThan(10);
  expect(tries).toBeLessThan(25);
  giveBack.close();
  const before = tries;
  await world.pass(3_600_000);
  expect(tries).toBe(before);
});
