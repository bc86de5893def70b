/** What errors tell, to whom, and what may be sent before anything is checked. */
import { TroupeError, UserError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { actor, type Registry } from "@troupe/runtime";
import { expect, test } from "vitest";
import { storageErrors } from "../../src/errors.ts";
import { BodyBudget } from "../../src/gateway/body-budget.ts";
import { handleFetch } from "../../src/gateway/fetch-handler.ts";
import { dataErrors } from "../../src/node/sqlite/data-errors.ts";
import { Driver } from "../driver/driver.ts";
import { codeOf } from "../driver/watch.ts";

const user = new UserError("told", { code: "told", metadata: { n: 1 } });
const foreign = new Error("a secret of the house");
const corrupt = storageErrors.corrupt("/srv/secret/shard-0.sqlite", "row 7");

const failing = actor({
  options: { maxOutgoingMessageSize: 3_000 },
  actions: {
    user: () => {
      throw user;
    },
    foreign: () => {
      throw foreign;
    },
    corrupt: () => {
      throw corrupt;
    },
    huge: () => {
      throw new UserError("x".repeat(40_000_000), { metadata: { text: "y".repeat(1_000_000) } });
    },
    large: () => {
      throw new UserError("large", { metadata: { text: "y".repeat(4_000) } });
    },
    fine: () => "fine",
  },
});

const caught: unknown[] = [];
const asker = actor({
  actions: {
    ask: async (c, action: "user" | "foreign") => {
      const client = c.client<Registry<{ failing: typeof failing }>>();
      try {
        return await client.failing.getOrCreate()[action]();
      } catch (error) {
        caught.push(error);
        throw error;
      }
    },
  },
});

test("between actors: a UserError is a copy; a foreign one is masked, and its cause is for the log", async () => {
  caught.length = 0;
  await using driver = await Driver.start({ failing, asker });
  expect((await driver.act("asker", "ask", "user")).code).toBe("user.told");
  expect(caught[0]).toBeInstanceOf(UserError);
  expect(caught[0]).toMatchObject({ message: "told", metadata: { n: 1 } });
  expect(caught[0]).not.toBe(user);
  expect((caught[0] as UserError).metadata).not.toBe(user.metadata);
  expect((await driver.act("asker", "ask", "foreign")).code).toBe("internal.error");
  expect(caught[1]).toBeInstanceOf(TroupeError);
  expect(caught[1]).toMatchObject({ group: "internal", code: "error", message: "Internal error" });
  expect((caught[1] as Error).cause).toBe(foreign);
  const causes = driver.world.logged("error", "a call failed").map((line) => line.fields.cause as Error);
  expect(causes.map((error) => error.cause)).toEqual([foreign]);
});

test("a masked error leaves with the id of its line in the log, by every door", async () => {
  await using driver = await Driver.start({ failing });
  const answer = await driver.act("failing", "foreign");
  const socket = driver.socket("/actor/failing/connect").hello().action(1, "corrupt");
  await driver.world.idle();
  const told = (socket.frames[1] as { error: { metadata: unknown } }).error.metadata;
  const ids = driver.world.logged("error", "a call failed").map((line) => line.fields["id"]);
  expect(ids).toHaveLength(2);
  expect([answer.error?.metadata, told]).toEqual(ids.map((id) => ({ id })));
  expect(driver.world.logged("error", "a call failed")[1]?.fields.cause).toBe(corrupt);
});

test("paths of the server stay in its log", async () => {
  await using driver = await Driver.start({ failing });
  const answer = await driver.act("failing", "corrupt");
  expect(answer).toMatchObject({ status: 500, code: "internal.error" });
  expect(answer.text).not.toContain("secret");
  for (const error of [
    dataErrors.readOnly("/p", undefined),
    dataErrors.newer("/p", 2, 1),
    dataErrors.diskFull("/p", undefined),
    dataErrors.openFailed("/p", undefined),
    dataErrors.locked("process 1"),
  ]) {
    expect([codeOf(error), error.public]).toEqual([codeOf(error), false]);
  }
});

test("an error is as long as a message may be: its text is cut, its metadata left out", async () => {
  await using driver = await Driver.start({ failing });
  const huge = await driver.act("failing", "huge");
  expect(huge.code).toBe("user.user_error");
  expect(huge.error?.message).toHaveLength(limits.errorMessageLength);
  expect(huge.error?.metadata).toBeUndefined();
  expect((await driver.act("failing", "large")).error?.metadata).toBeDefined();
  // This socket takes 3,000 bytes at most.
  const socket = driver.socket("/actor/failing/connect").hello().action(1, "large");
  await driver.world.idle();
  expect((socket.frames[1] as { error: object }).error).toEqual({
    group: "user",
    code: "user_error",
    message: "large",
    retryable: false,
  });
});

test("a hello past its limit is refused before it is parsed; the longest one that is allowed is taken", async () => {
  await using driver = await Driver.start({ failing });
  // Not JSON at all: whoever parsed it would say so.
  const long = driver.socket("/actor/failing/connect").raw("x".repeat(limits.helloBytes + 1));
  const full = driver.socket("/actor/failing/connect").hello({
    params: "p".repeat(limits.connectionParamsBytes - 2),
    input: "i".repeat(limits.inputBytes - 2),
  });
  await driver.world.idle();
  expect(long.story).toEqual(["refusal connection.hello_too_long"]);
  expect(full.story).toEqual(["welcome"]);
});

test("bodies that are read at once share a budget; what doesn't fit is told to come again", async () => {
  const budget = new BodyBudget(100);
  budget.take(60);
  expect(() => budget.take(41)).toThrow("100 bytes");
  budget.give(60);
  budget.take(100);
  expect(budget.used).toBe(100);
  await using driver = await Driver.start({ failing });
  const { gateway } = driver.runtime;
  const ask = async () => {
    const url = "http://127.0.0.1/actor/failing/action/fine";
    const response = await handleFetch(gateway, new Request(url, { method: "POST", body: "{}" }));
    return (await response.json()) as unknown;
  };
  gateway.bodies.take(limits.gatewayBodyBytes - 1);
  expect(await ask()).toMatchObject({ error: { group: "gateway", code: "busy", retryable: true } });
  gateway.bodies.give(limits.gatewayBodyBytes - 1);
  expect(await ask()).toEqual({ output: "fine" });
  expect(gateway.bodies.used).toBe(0);
});
