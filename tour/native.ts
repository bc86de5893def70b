/** Native: actors in C and Rust, each a shared library in this process. */
import { pluginActor } from "troupe/plugins";
import { type Built, cExample, rustExample } from "../packages/plugins/test/support/built.ts";
import { median, type Part, type Report, same, shown } from "./part.ts";
import { Serving } from "./serving.ts";

export const native: Part = {
  title: "Native: a counter in C and one in Rust, each a shared library",
  async run(report) {
    await counter("C", await cExample("counter"), report);
    await counter("Rust", await rustExample("counter"), report);
    await echo(await cExample("echo"), report);
  },
};

async function counter(language: string, built: Built, report: Report): Promise<void> {
  if (built.missing !== undefined) {
    report.missing(`a counter in ${language}`, built.missing);
    return;
  }
  await using troupe = await Serving.start({ use: { counter: pluginActor({ library: built.path }) } });
  const handle = troupe.client.counter.getOrCreate(["tour"]);
  const act = (name: string, ...args: unknown[]) => handle.action({ name, args });
  const connection = handle.connect();
  const heard = new Promise((resolve) => connection.on("changed", resolve));
  same("increment", await connection.action({ name: "increment", args: [5] }), 5);
  same("the event", await heard, 5);
  await connection.dispose();
  report.saw(`${language}: increment(5) is 5, and who listens hears of it`);
  const refusal = await act("increment", "five").catch((error: unknown) => String(error));
  report.saw(`${language}: increment("five") is refused: ${String(refusal)}`);
  const ms = await median(200, () => act("increment", 1));
  same("the count", await act("get"), 205);
  report.saw(`${language}: one durable increment over HTTP, p50`, shown(ms));
}

async function echo(built: Built, report: Report): Promise<void> {
  if (built.missing !== undefined) return;
  await using troupe = await Serving.start({ use: { echo: pluginActor({ library: built.path }) } });
  const handle = troupe.client.echo.getOrCreate(["tour"]);
  const bytes = new Uint8Array(100).fill(7);
  const answer = await handle.action({ name: "echo", args: [bytes] });
  same("the echo", answer instanceof Uint8Array && answer.byteLength, 100);
  report.saw(
    "C: 100 bytes there and back, from client to library, p50",
    shown(await median(200, () => handle.action({ name: "echo", args: [bytes] }))),
  );
}
