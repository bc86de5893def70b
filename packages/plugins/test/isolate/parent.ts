/** A program with one dynamic actor that runs: it says so, and waits for its end. */

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@troupe/client";
import { setup } from "@troupe/runtime";
import { dynamic } from "../support/dynamic-world.ts";

const registry = setup({ use: { it: dynamic("actions: { hello: () => 1 }") } });
const dataDir = mkdtempSync(join(tmpdir(), "troupe-parent-"));
const { endpoint } = await registry.start({ port: 0, dataDir, signals: false, banner: false });
await createClient(endpoint).getOrCreate("it", ["a"]).action({ name: "hello", args: [] });
process.stdout.write("ready\n");
