/** A program with a call in flight, which stops as any program does: it says what became of the call, and of the actor. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@troupe/client";
import { setup } from "@troupe/runtime";
import { dynamic } from "../support/dynamic-world.ts";

const slow = dynamic(
  `actions: {
    slow: async (c) => {
      c.broadcast("begun");
      await new Promise((resolve) => setTimeout(resolve, 500));
      return 1;
    },
  },
  onSleep: (c) => c.log.info("it slept"),
  events: { begun: event() }`,
);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const registry = setup({ use: { slow } });
const dataDir = mkdtempSync(join(tmpdir(), "troupe-stopping-"));
const { endpoint } = await registry.start({ port: 0, dataDir, banner: false });
const connection = createClient(endpoint).getOrCreate("slow", ["a"]).connect();
connection.on("begun", () => say("begun"));
await connection.ready;
void connection.action({ name: "slow", args: [] }).then(
  (answer) => say(`answered ${answer}`),
  (error: unknown) => say(String(error)),
);
