/** What components take from Node. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import type { ComponentPorts } from "./components/component.ts";
import { platformEnv } from "./platform.ts";

/** Node's. */
export const componentPorts: ComponentPorts = {
  sha256: (text) => createHash("sha256").update(text).digest("hex"),
  readText: (path) => readFileSync(path, "utf8"),
  now: Date.now,
  random: Math.random,
  timers: platformEnv().timers,
};
