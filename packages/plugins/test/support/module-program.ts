/**
 * A program with a plugin of the kind module, run by Node itself: a test runner brings modules in by a way of its own. Its
 * argument is the plugin's folder; it prints what became of a broken file, of a hundred calls at once, and of a rebuilt one.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { TroupeError } from "@troupe/base";
import { createRelay } from "@troupe/relay/node";
import { setup } from "@troupe/runtime";
import { pluginActor } from "../../src/plugin-actor.ts";
import { pluginSet } from "../../src/plugin-set.ts";

/** What it prints, as JSON. */
export interface ModuleReport {
  readonly failed: string;
  readonly starts: number;
  readonly told: readonly unknown[];
  readonly rebuilt: readonly unknown[];
}

const [folder = ""] = process.argv.slice(2);
const quiet = { port: 0, signals: false, banner: false, durability: "memory" } as const;
const plugin = { manifest: join(folder, "troupe-plugin.toml"), trusted: true };
const actors = join(folder, "teller.mjs");
const source = readFileSync(actors, "utf8");

async function codeOf(failing: Promise<unknown>): Promise<string> {
  const error: unknown = await failing.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  // Whoever calls in the host's own process gets the cause of what others aren't told.
  const told = TroupeError.is(error) && error.code === "start_failed" ? error.cause : error;
  return TroupeError.is(told) ? `${told.group}.${told.code}` : String(error);
}

async function first(): Promise<Omit<ModuleReport, "rebuilt">> {
  const registry = setup({ use: { teller: pluginActor({ plugin }) } });
  await registry.start(quiet);
  const client = await registry.client();
  const tell = (key: string) => client.teller.getOrCreate(key).action({ name: "tell", args: [] });
  writeFileSync(actors, "export const actors = {");
  const failed = await codeOf(tell("early"));
  writeFileSync(actors, source);
  const told = new Set(await Promise.all(Array.from({ length: 100 }, (_, key) => tell(`${key}`))));
  await registry.stop();
  const starts = readFileSync(join(folder, "starts"), "utf8").length;
  return { failed, starts, told: [...told] };
}

async function rebuilt(): Promise<readonly unknown[]> {
  const plugins = pluginSet({ relay: createRelay(), plugins: [plugin] });
  const registry = setup({ use: { teller: pluginActor({ plugin: "teller" }) }, plugins });
  await registry.start(quiet);
  const client = await registry.client();
  const tell = (key: string) => client.teller.getOrCreate(key).action({ name: "tell", args: [] });
  const told = [await tell("a")];
  writeFileSync(actors, source.replace("() => 1", "() => 2"));
  told.push(await tell("b"));
  await plugins.reload();
  told.push(await tell("a"), await tell("c"));
  await registry.stop();
  return told;
}

const report: ModuleReport = { ...(await first()), rebuilt: await rebuilt() };
process.stdout.write(JSON.stringify(report));
