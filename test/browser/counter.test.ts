/** The counter from a page of another origin, as a browser's modules, in both encodings. */
import { beforeAll, expect, test } from "vitest";
import { Example, needBuild } from "../examples/example.ts";
import { Chromium, findChromium } from "./chromium.ts";

beforeAll(needBuild, 180_000);

/** Runs in the page, which has an import map for the client. It is text so that nothing compiles its imports away. */
function program(endpoint: string, encoding: string): string {
  return `(async () => {
    const { createClient, TroupeError } = await import("troupe/client");
    await using client = createClient(${JSON.stringify({ endpoint, encoding })});
    const handle = client.counter.getOrCreate(["in a page", ${JSON.stringify(encoding)}]);
    const answers = [await handle.increment(2)];
    const connection = handle.connect();
    const seen = [];
    const { promise, resolve } = Promise.withResolvers();
    connection.on("changed", (count) => seen.push(count) === 2 && resolve());
    answers.push(await connection.increment(3), await handle.increment(), await connection.read());
    await promise;
    const refused = await handle.missing().catch((error) => TroupeError.is(error) && error.code);
    return { answers, seen, refused };
  })()`;
}

test("a page counts over HTTP and WebSocket, in json and cbor", async (context) => {
  const found = findChromium();
  if ("missing" in found) return context.skip(found.missing);
  await using counter = await Example.start("counter");
  await using page = await Example.start("chat-room");
  await using chromium = await Chromium.launch(found.path);

  // The chat room's page may speak to its own server alone.
  const tab = await chromium.open(page.url, { bypassCSP: true });
  for (const encoding of ["json", "cbor"]) {
    const outcome = await tab.evaluate(program(counter.url, encoding));
    expect(outcome).toEqual({ answers: [2, 5, 6, 6], seen: [5, 6], refused: "action_not_found" });
  }
}, 60_000);
