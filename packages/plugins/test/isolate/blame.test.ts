/** Who has ended the process of all isolates: the log names it, and it waits for its next start when it does so again. */
import type { Logger, TroupeError } from "@troupe/base";
import { expect, onTestFinished, test } from "vitest";
import { IsolateProcess } from "../../src/carriers/isolate/isolate-process.ts";
import { failure } from "../support/dynamic-world.ts";
import { IsolateLine, orderOf } from "../support/isolate-line.ts";
import { needsPackage } from "../support/native-package.ts";
import { nodeSessionEnv } from "../support/node-env.ts";

needsPackage("isolated-vm");

interface Line {
  readonly message: string;
  readonly fields: object | undefined;
}

/** A process, and what its runtime's log says. */
function aProcess() {
  const lines: Line[] = [];
  const keep = (message: string, fields?: object): void => void lines.push({ message, fields });
  const log: Logger = { debug: keep, info: keep, warn: keep, error: keep, child: () => log };
  const isolates = new IsolateProcess({ ...nodeSessionEnv, log });
  onTestFinished(() => isolates.close());
  return { isolates, lines };
}

/** An isolate of an actor; `heard` hears its frames. */
async function begin(isolates: IsolateProcess, actorId: string, source: string, heard = () => {}) {
  const loaded = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<TroupeError | undefined>();
  const order = { ...orderOf("actions: {}"), source, timeLimitMs: 100 };
  const isolate = isolates.create(order, {
    actor: { actor: "it", actorId },
    loaded: loaded.resolve,
    frame: heard,
    ended: ended.resolve,
  });
  await Promise.race([loaded.promise, ended.promise]);
  return { isolate, ended: ended.promise };
}

const ready = `import { actor } from "troupe"; export default actor({ actions: {} });`;
/** The engine can't be stopped in this loop. */
const stuck =
  "stuck: () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1), wait: () => new Promise(() => {})";

test("the one that ran is named, and not those that wait; when it does so again it waits, and nobody else", async () => {
  const { isolates, lines } = aProcess();
  for (let times = 1; times <= 2; times += 1) {
    const order = orderOf(`actions: { ${stuck} }`, { timeLimitMs: 100 });
    const [one, neighbour] = [
      await IsolateLine.open(isolates, order, "stuck"),
      await IsolateLine.open(isolates, order, "neighbour"),
    ];
    const waiting = failure(neighbour.call("wait"));
    expect(await failure(one.call("stuck"))).toMatchObject({ is: "dynamic.process_lost" });
    expect(await waiting).toMatchObject({ is: "dynamic.process_lost", metadata: undefined });
    expect(lines.filter(({ message }) => message === "The isolate process ended")).toHaveLength(times);
    expect(lines.at(-1)?.fields).toMatchObject({ suspects: [{ actor: "it", actorId: "stuck" }] });
  }
  await expect(begin(isolates, "stuck", ready)).rejects.toMatchObject({
    group: "dynamic",
    code: "process_lost",
    metadata: { retryAfterMs: expect.any(Number) },
  });
  await begin(isolates, "neighbour", ready);
});

test("an ear that throws is the end of its isolate, and of no other", async () => {
  const { isolates, lines } = aProcess();
  const neighbour = await begin(isolates, "neighbour", ready);
  const deaf = await begin(isolates, "deaf", `console.log("hello"); ${ready}`, () => {
    throw new Error("a fault of ours");
  });
  expect(await deaf.ended).toBeUndefined();
  expect(lines).toMatchObject([{ fields: { actorId: "deaf" } }]);
  isolates.dispose(neighbour.isolate);
  expect(await neighbour.ended).toBeUndefined();
});
