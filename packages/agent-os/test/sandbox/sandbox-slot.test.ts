/** One sandbox for each activation, whoever asks and whatever happens while it boots. */
import { expect, test } from "vitest";
import { SandboxSlot } from "../../src/sandbox/sandbox-slot.ts";
import { rejection } from "../support/errors.ts";
import { HeldDriver } from "../support/held-driver.ts";

function slotOf(driver: HeldDriver): SandboxSlot {
  return new SandboxSlot({
    driver,
    onBooted: async () => {
      driver.story.push("told");
    },
  });
}

/** All microtasks are done. */
const turn = () => new Promise((resolve) => void setImmediate(resolve));

test("everybody who asks while it boots gets the same sandbox, and nobody before it was told of", async () => {
  const driver = new HeldDriver();
  const slot = slotOf(driver);
  const all = [slot.get(), slot.get(), slot.get()].map((asked) =>
    asked.then((sandbox) => {
      driver.story.push("got");
      return sandbox;
    }),
  );
  await turn();
  expect([slot.up, driver.story]).toEqual([false, ["boot"]]);
  driver.letGo();
  const sandboxes = await Promise.all(all);
  expect(new Set([...sandboxes, await slot.get()]).size).toBe(1);
  expect(driver.story).toEqual(["boot", "up", "told", "got", "got", "got"]);
});

test("a boot that fails is everybody's error, once: the next who asks tries again", async () => {
  const driver = new HeldDriver();
  const slot = slotOf(driver);
  const all = [slot.get(), slot.get()].map(rejection);
  await turn();
  driver.fail(new Error("no room"));
  expect(await Promise.all(all)).toEqual(["sandbox.boot_failed", "sandbox.boot_failed"]);
  const again = slot.get();
  await turn();
  driver.letGo();
  await again;
  expect(driver.story).toEqual(["boot", "boot", "up", "told"]);
});

test("a sandbox whose boot can't be told of is given up, and the next who asks tries again", async () => {
  const driver = new HeldDriver();
  driver.hold = false;
  let tellable = false;
  const onBooted = async () => {
    if (!tellable) throw new Error("the disk is full");
  };
  const slot = new SandboxSlot({ driver, onBooted });
  expect(await rejection(slot.get())).toBe("sandbox.boot_failed");
  tellable = true;
  await slot.get();
  expect(await slot.shutdown()).toBe(true);
  expect(driver.story).toEqual(["boot", "up", "shutdown", "boot", "up", "shutdown"]);
});

test("a shutdown while it boots: the boot is told, what comes up is shut down and shown to nobody", async () => {
  const driver = new HeldDriver();
  const slot = slotOf(driver);
  const asked = rejection(slot.get());
  await turn();
  expect(await slot.shutdown()).toBe(false);
  driver.letGo();
  expect(await asked).toBe("sandbox.closed");
  expect(driver.story).toEqual(["boot", "abort", "up", "shutdown"]);
  expect(await rejection(slot.get())).toBe("sandbox.closed");
});
