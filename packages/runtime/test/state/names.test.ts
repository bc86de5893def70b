/** A property's name is what it was when it comes back from the disk, or it is refused. */
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";

const names = actor({
  state: {} as Record<string, number>,
  actions: {
    set: (c, name: string, value: number) => {
      c.state[name] = value;
    },
    replace: (c, state: Record<string, number>) => {
      c.state = state;
    },
    keys: (c) => Object.keys(c.state),
  },
});

test("half of a surrogate pair names nothing: two of them would be one row", async () => {
  await using driver = await Driver.start({ names });
  const { names: actors } = driver.local();
  const handle = actors.getOrCreate([]);
  for (const name of ["\ud800", "a\udc00b"]) {
    await expect(handle.set(name, 1)).rejects.toMatchObject({ group: "state", code: "malformed_name" });
    await expect(handle.replace({ fine: 1, [name]: 2 })).rejects.toMatchObject({ code: "malformed_name" });
  }
  await handle.set("😀", 1);
  expect(await handle.keys()).toEqual(["😀"]);
});
