/** Tokens that are exchanged while clients are there: an old one is refused, and a client that makes its parameters anew goes on. */
import { UserError } from "@troupe/base";
import { actor } from "@troupe/runtime";
import { beforeEach, expect, test } from "vitest";
import { Driver } from "../driver/driver.ts";
import { rejection } from "../driver/watch.ts";

let valid = "first";
let held = "first";

beforeEach(() => {
  valid = "first";
  held = "first";
});

const vault = actor({
  // What can't be stored keeps its connection from hibernating: a rest closes it, and its client comes again.
  createConnState: () => () => {},
  onBeforeConnect: (_c, params?: { token: string }) => {
    if (params?.token !== valid) throw new UserError("The token isn't valid", { code: "token_refused" });
  },
  actions: { open: () => `opened with ${valid}`, rest: (c) => c.sleep() },
});

test("a handle asks for its parameters at each call: the old token is refused, and the new one works on the same client", async () => {
  await using driver = await Driver.start({ vault });
  await using client = driver.client();
  const handle = client.vault.getOrCreate("a", { getParams: () => ({ token: held }) });
  expect(await handle.open()).toBe("opened with first");
  valid = "second";
  expect(await rejection(handle.open())).toBe("user.token_refused");
  held = "second";
  expect(await handle.open()).toBe("opened with second");
});

test("a connection that has to come again comes with the new token; one that holds the old one doesn't get in", async () => {
  await using driver = await Driver.start({ vault });
  await using client = driver.client();
  const open = (token: () => string) =>
    client.vault.getOrCreate("a", { getParams: () => ({ token: token() }) }).connect();
  const [rotating, fixed] = [open(() => held), open(() => "first")];
  await Promise.all([rotating.ready, fixed.ready]);
  // Who is in stays in: a token is looked at when a client comes.
  valid = "second";
  held = "second";
  expect(await fixed.open()).toBe("opened with second");
  await rotating.rest();
  await driver.world.pass(1_000);
  const [anew, refused] = [rotating.open(), rejection(fixed.open())];
  await driver.world.pass(10_000);
  expect(await anew).toBe("opened with second");
  expect(await refused).toBe("user.token_refused");
});
