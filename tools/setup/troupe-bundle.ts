/**
 * The program `troupe` in few files. Stories start it more than a hundred times, and to load its sources one by one is most of the
 * work of a start. It finds what lies beside its sources there, as they do: workers, templates, the SDKs.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import { command } from "../command.ts";

const root = join(import.meta.dirname, "../..");
const folder = join(root, "node_modules/.cache/troupe-test-program");

/** The program. Whoever runs it says `--conditions=troupe-source`, for what it starts. */
export const troupeBundle = join(folder, "bin.mjs");

/** What others have written and every start loads. The rest is asked for when it is needed, and may not be there. */
const loadedByAll = new Set(["commander", "semver", "smol-toml", "undici", "ws"]);

const sources: Plugin = {
  name: "sources",
  setup: ({ onResolve, onLoad }) => {
    onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      const [name = ""] = path.split("/");
      const ours = name === "@troupe" || name === "troupe";
      return kind === "entry-point" || ours || loadedByAll.has(name) ? undefined : { external: true };
    });
    onLoad({ filter: /packages\/[^/]+\/src\/.*\.ts$/ }, ({ path }) => {
      const here = JSON.stringify(pathToFileURL(path).href);
      return { contents: readFileSync(path, "utf8").replaceAll("import.meta.url", here), loader: "ts" };
    });
  },
};

/** Called by vitest, once. */
export default async function bundleTroupe(): Promise<void> {
  await build({
    entryPoints: [join(root, "packages/cli/src/bin.ts")],
    outdir: folder,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node24",
    conditions: ["troupe-source"],
    plugins: [sources],
    // What is CommonJS in it asks for Node's modules by `require`.
    banner: {
      js: 'import { createRequire as requireFrom } from "node:module"; const require = requireFrom(import.meta.url);',
    },
    logLevel: "error",
  });
  // It is compiled now: a process writes what it has compiled when it ends, and most of a story's are killed.
  const args = ["--conditions=troupe-source", troupeBundle, "--version"];
  const { status, output } = await command(process.execPath, args, { cwd: root });
  if (status !== 0) throw new Error(`The bundled program doesn't start:\n${output}`);
}
