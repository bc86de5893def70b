/** Edge: an actor in workerd, whose state and schedules are here. */
import { remoteActor } from "troupe";
import type { Counter } from "../packages/runtime/test/edge/worker.ts";
import { bundle, EdgeHost } from "../packages/runtime/test/edge/workerd.ts";
import { median, type Part, same, shown } from "./part.ts";
import { Serving } from "./serving.ts";

const TOKEN = "tour";

export const edge: Part = {
  title: "Edge: a counter in workerd, for an engine that has the disk",
  async run(report) {
    await using troupe = await Serving.start({
      use: { counter: remoteActor<Counter>() },
      hosts: { token: TOKEN },
    });
    const script = await bundle("./worker.ts");
    report.saw(
      "the worker, one module without anything of Node's",
      `${Math.round(script.length / 1024)} KiB`,
    );
    const bindings = { ENGINE: troupe.endpoint, TOKEN };
    const counter = troupe.client.counter.getOrCreate(["tour"]);
    {
      const [host] = await EdgeHost.start(script, bindings);
      await using _ = host;
      same("increment", await counter.increment(1), 1);
      report.saw(`it runs in ${(await counter.where()).runsIn}; its state is in the engine's files`);
      report.saw(
        "one durable increment, engine to workerd and back, p50",
        shown(await median(200, () => counter.increment(1))),
      );
    }
    const [next] = await EdgeHost.start(script, bindings);
    await using _ = next;
    same("the count", await counter.increment(1), 202);
    report.saw("that host was killed; the next one goes on: 202");
  },
};
