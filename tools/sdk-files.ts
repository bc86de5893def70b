/** The SDKs' sources beside the command line's, as it is published: `troupe plugins new` makes them a plugin's own. */
import { cp, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const parts = ["c/include", "c/src", "c/wasm", "rust/troupe-plugin", "python/troupe_plugin"];

for (const part of parts) {
  const from = fileURLToPath(new URL(`../sdks/${part}`, import.meta.url));
  const to = fileURLToPath(new URL(`../packages/cli/dist/sdks/${part}`, import.meta.url));
  await rm(to, { recursive: true, force: true });
  await cp(from, to, {
    recursive: true,
    filter: (path) => !/(^|\/)(__pycache__|target|tests)(\/|$)/.test(path),
  });
}
