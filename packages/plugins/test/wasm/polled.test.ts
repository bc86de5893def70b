/** The host's end of a thread whose turns are so short that nobody sleeps over them. */
import { limits } from "@troupe/protocol";
import { expect, onTestFinished, test, vi } from "vitest";
import { TrainedPoll } from "../../../runtime/test/node/trained-poll.ts";
import { PUSH_BYTES } from "../../src/carriers/native/outbox.ts";
import { compileModule } from "../../src/carriers/wasm/checked-module.ts";
import { makeExchange, Word } from "../../src/carriers/wasm/exchange.ts";
import { WasmThread } from "../../src/carriers/wasm/wasm-thread.ts";
import { assemble, op, type Parts } from "../support/assemble.ts";

/** A thread of a module, and who waits for its turns. */
class Turns {
  readonly trained = new TrainedPoll();
  readonly exchange = makeExchange(limits.pluginFrameBytes, PUSH_BYTES);
  readonly ended = Promise.withResolvers<unknown>();
  readonly thread: WasmThread;
  #idle = Promise.withResolvers<void>();

  constructor(module: WebAssembly.Module) {
    this.thread = new WasmThread({
      module,
      exchange: this.exchange,
      host: { maxFrame: limits.pluginFrameBytes, maxQueued: 16, config: new Uint8Array(0) },
      timeLimitMs: 10_000,
      ear: { idle: () => this.#idle.resolve(), ended: this.ended.resolve },
      poll: this.trained.poll,
    });
    onTestFinished(() => this.thread.end());
  }

  /** One that is open. */
  static async open(parts: Parts = {}): Promise<Turns> {
    const turns = new Turns(await compileModule(assemble(parts), 16 * 1024 * 1024));
    await turns.#idle.promise;
    return turns;
  }

  /** Gives it a turn; settles when that is done. */
  run(): Promise<void> {
    this.#idle = Promise.withResolvers();
    this.thread.run(undefined);
    return this.#idle.promise;
  }
}

test("a turn that is given back while the host's loop is kept turning is taken there; one that isn't is waited for", async () => {
  const turns = await Turns.open();
  const { trained, exchange, thread } = turns;
  const sleeps = vi.spyOn(Atomics, "waitAsync");
  onTestFinished(() => sleeps.mockRestore());
  const turn = async (meanwhile = () => {}): Promise<void> => {
    const done = turns.run();
    expect(thread.idle).toBe(false);
    meanwhile();
    await done;
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
  expect(await turns.ended.promise).toBeUndefined();
});

test("a thread that sleeps is woken ahead of its turn where looking pays, and has the turn whenever that comes", async () => {
  const turns = await Turns.open();
  const { trained, exchange, thread } = turns;
  const notified = vi.spyOn(Atomics, "notify");
  onTestFinished(() => notified.mockRestore());
  await turns.run();
  notified.mockClear();
  // It looks for the next turn.
  thread.wake();
  expect(notified).not.toHaveBeenCalled();
  trained.now += 1;
  thread.wake();
  expect(notified).toHaveBeenCalledWith(exchange.words, Word.turn);
  await turns.run();
  // Long asleep again.
  trained.now += 1;
  await new Promise(setImmediate);
  thread.wake();
  await turns.run();
});

test("whoever waits for a turn that is over in a moment goes on when it was heard; nobody waits for one that nobody knows", async () => {
  const turns = await Turns.open();
  const { trained, thread } = turns;
  expect(thread.soon()).toBeUndefined();
  // No turn is late here, however slow the machine.
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const done = turns.run();
  const heard: string[] = [];
  const soon = thread.soon();
  expect(thread.soon()).toBe(soon);
  await Promise.all([done.then(() => heard.push("heard")), soon?.then(() => heard.push("over"))]);
  expect(heard).toEqual(["heard", "over"]);
  // A turn that took long says nothing of the next one.
  const long = turns.run();
  trained.now += 2 * trained.pollMs;
  await long;
  const next = turns.run();
  expect(thread.soon()).toBeUndefined();
  await next;
});

test("a turn that isn't over in a moment keeps nobody waiting, and the end of the thread neither", async () => {
  const { thread, ended } = await Turns.open({
    code: { troupe_plugin_pull: [...op.forever, 0x1a, ...op.i64(0n)] },
  });
  thread.run(undefined);
  await thread.soon();
  expect(thread.idle).toBe(false);
  const soon = thread.soon();
  thread.end();
  await Promise.all([soon, ended.promise]);
});
