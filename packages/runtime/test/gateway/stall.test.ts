/** Decoding that holds up the event loop is named in the log: what, for whom, how long. */
import { limits } from "@troupe/protocol";
import { actor } from "@troupe/runtime";
import { expect, test, vi } from "vitest";
import { Driver } from "../driver/driver.ts";

const echo = actor({
  createState: (_c, _input: unknown) => ({}),
  options: { maxIncomingMessageSize: limits.incomingMessageBytes },
  actions: { length: (_c, text: string) => text.length },
});

/** Each look at the clock finds that this much has gone by. */
function slowClock(driver: Driver<{ echo: typeof echo }>, stepMs: number): void {
  const { monotonic } = driver.world.clock;
  let gone = 0;
  vi.spyOn(driver.world.clock, "monotonic").mockImplementation(() => {
    gone += stepMs;
    return monotonic() + gone;
  });
}

const large = "x".repeat(100_000);

test("a body, a hello and a frame past the limit are named with their actor and action", async () => {
  await using driver = await Driver.start({ echo });
  slowClock(driver, limits.eventLoopStallMs + 1);
  await driver.act("echo?key=a", "length", large);
  const socket = driver.socket("/actor/echo/connect?key=b").hello({ input: large });
  await driver.world.idle();
  socket.action(1, "length", large);
  await driver.world.idle();
  expect(socket.story).toEqual(["welcome", "reply 1 100000"]);
  const lines = driver.world.logged("warn", "decoding held up the event loop").map(({ fields }) => fields);
  expect(lines).toMatchObject([
    { what: "body", actor: "echo", action: "length", ms: 101 },
    { what: "hello", actor: "echo", ms: 101 },
    { what: "frame", actor: "echo", action: "length", ms: 101 },
  ]);
  expect(lines.every(({ length }) => Number(length) > 100_000)).toBe(true);
});

test("what can't be decoded is named as well", async () => {
  await using driver = await Driver.start({ echo });
  slowClock(driver, limits.eventLoopStallMs + 1);
  const answer = await driver.http("POST", "/actor/echo/action/length", Buffer.from(`${large}`));
  expect(answer.status).toBe(400);
  expect(driver.world.logged("warn", "decoding held up")).toMatchObject([
    { fields: { what: "body", actor: "echo", action: "length" } },
  ]);
});

test("what is quick, and what is small, isn't", async () => {
  await using driver = await Driver.start({ echo });
  slowClock(driver, limits.eventLoopStallMs);
  await driver.act("echo", "length", large);
  await driver.act("echo", "length", "small");
  expect(driver.world.logged("warn", "decoding held up")).toEqual([]);
});
