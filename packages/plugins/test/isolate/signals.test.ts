/** Signals that aren't for the isolates' process: it is its runtime's to end. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { DynamicWorld, dynamic, isolateProcess } from "../support/dynamic-world.ts";
import { needsPackage } from "../support/native-package.ts";

needsPackage("isolated-vm");

test("Ctrl-C goes to the whole group: the runtime stops in order, the call in flight is answered and the actor goes to sleep", async () => {
  const program = new URL("./stopping.ts", import.meta.url).pathname;
  const host = spawn(process.execPath, ["--conditions=troupe-source", program], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  host.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  const said: string[] = [];
  const lines = createInterface({ input: host.stdout });
  lines.on("line", (line) => {
    said.push(line);
    if (line === "begun") process.kill(-Number(host.pid), "SIGINT");
  });
  await once(host, "close");
  expect(said).toEqual(["begun", "answered 1"]);
  expect(log).toContain("it slept");
});

test.each(["SIGTERM", "SIGINT", "SIGHUP"])(
  "%s, sent to each process of a service, doesn't end it",
  async (signal) => {
    await using world = await DynamicWorld.start({
      counter: dynamic("state: { n: 0 }, actions: { add: (c) => (c.state.n += 1) }"),
    });
    expect(await world.act("counter", "add")).toBe(1);
    const pid = isolateProcess();
    process.kill(pid, signal);
    expect(await world.act("counter", "add")).toBe(2);
    expect(isolateProcess()).toBe(pid);
  },
);
