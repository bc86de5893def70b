/** A plugin whose code is in an isolate, and what its host lends to the process of it. */
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { expect, test } from "vitest";
import { isolatePlugin } from "../../src/carriers/isolate/isolate-plugin.ts";
import { needsPackage } from "../support/native-package.ts";
import { World } from "../support/world.ts";

needsPackage("isolated-vm");

test("its process is watched by its host's clock, and what becomes of it is in its host's log", async () => {
  const env = new World();
  const ended = Promise.withResolvers<TroupeError | undefined>();
  const source = new TextEncoder().encode(
    `import { actor } from "troupe"; export default actor({ actions: { x: () => 1 } });`,
  );
  const open = isolatePlugin({ env, name: "calm", source: async () => source, typescript: false });
  const carrier = await open({ frame: () => {}, ended: ended.resolve });
  // However alive it is, nothing of it is read in this turn.
  env.rush(limits.isolateSilentMs + 2 * limits.isolateBeatMs);
  expect(await ended.promise).toMatchObject({ group: "dynamic", code: "process_lost" });
  expect(env.lines).toEqual(["error The isolate process ended"]);
  await carrier.close(0);
});
