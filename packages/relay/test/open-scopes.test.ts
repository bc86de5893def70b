/** What exporters keep of scopes that are open. */
import { expect, test } from "vitest";
import { OpenScopes } from "../src/exporters/open-scopes.ts";

test("a value is its taker's: nobody finds it any more, and it counts no longer", () => {
  const open = new OpenScopes<{ said: string }>();
  open.set("a", { said: "all" });
  expect(open.get("a")).toEqual({ said: "all" });
  expect(open.take("a")).toEqual({ said: "all" });
  expect([open.get("a"), open.take("a"), open.size]).toEqual([undefined, undefined, 0]);
});

test("the oldest is the one that began first of those that are open", () => {
  const open = new OpenScopes<number>();
  for (const n of [1, 2, 3]) open.set(`${n}`, n);
  open.take("1");
  expect([open.takeOldest(), open.takeOldest(), open.takeOldest()]).toEqual([2, 3, undefined]);
});
