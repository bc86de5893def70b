/** The host's end of a thread whose turns are so short that nobody sleeps over them. */
import { limits } from "@troupe/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { TrainedPoll } from "../../../runtime/test/node/trained-poll.ts";
import { PUSH_BYTES } from "../../src/carriers/native/outbox.ts";
import { compileModule } from "../../src/carriers/wasm/checked-module.ts";
import { makeExchange, Word } from "../../src/carriers/wasm/exchange.ts";
import { WasmThread } from "../../src/carriers/wasm/wasm-thread.ts";
import { assemble } from "../support/assemble.ts";

test("a turn that is given back while the host's loop is kept turning is taken there; one that isn't is waited for", async () => {
  const trained = new TrainedPoll();
  const module = await compileModule(assemble(), 16 * 1024 * 1024);
  const exchange = makeExchange(limits.pluginFrameBytes, PUSH_BYTES);
  let idle = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<unknown>();
  const thread = new WasmThread({
    module,
    exchange,
    host: { maxFrame: limits.pluginFrameBytes, maxQueued: 16, config: new Uint8Array(0) },
    timeLimitMs: 10_000,
    ear: { idle: () => idle.resolve(), ended: ended.resolve },
    poll: trained.poll,
  });
  onTestFinished(() => thread.end());
  await idle.promise;
  const sleeps = vi.spyOn(Atomics, "waitAsync");
  onTestFinished(() => sleeps.mockRestore());
  const turn = async (meanwhile = () => {}): Promise<void> => {
    idle = Promise.withResolvers();
    thread.run(undefined);
    expect(thread.idle).toBe(false);
    meanwhile();
    await idle.promise;
    expect(thread.idle).toBe(true);
  };
  for (let n = 0; n < 20; n += 1) await turn();
  expect(sleeps).not.toHaveBeenCalled();
  expect(exchange.words[Word.lookUs]).toBe(50);
  // The host was away for longer than it polls, which isn't the thread's: where the turn is back by then, it is taken.
  await turn(() => {
    trained.now += 2 * trained.pollMs;
  });
  // It was too long: sleeping is tried next.
  expect(trained.poll.polls).toBe(false);
  await turn();
  expect(sleeps).toHaveBeenCalled();
  expect(exchange.words[Word.lookUs]).toBe(0);
  thread.end();
  expect(await ended.promise).toBeUndefined();
});
