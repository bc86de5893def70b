/**
 * The bundle of an edge host, as a platform's own tools would make it, held to what such a host may be: one way to its engine,
 * nothing of Node's, and small. `npm run build` makes it of everything that an actor can have at the edge.
 */
import { builtinModules, isBuiltin } from "node:module";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type BuildOptions, build } from "esbuild";

/** The most that a host's bundle may have, gzip; and one that carries modules of WebAssembly beside. */
const HOST_BYTES = 120_000;
const WASM_HOST_BYTES = 140_000;

/** The ways from a host to its engine: the WebSocket of the web, and Node's sockets. */
const transports = [
  "packages/runtime/src/edge/web-socket-link.ts",
  "packages/runtime/src/node/host-socket.ts",
];

/** Where it is made from: a file, or a text that stands in the root. */
export type EdgeSource = { readonly file: string } | { readonly text: string };

/** A bundle, and what is wrong with it. */
export interface EdgeBundle {
  readonly script: string;
  readonly gzipBytes: number;
  readonly problems: readonly string[];
}

const root = fileURLToPath(new URL("..", import.meta.url));

function optionsOf(source: EdgeSource): BuildOptions {
  return {
    ...("file" in source
      ? { entryPoints: [source.file] }
      : { stdin: { contents: source.text, resolveDir: root } }),
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    conditions: ["troupe-source"],
    // What is Node's is named below, in one error with the rest; modules of WebAssembly are the platform's to compile.
    external: ["node:*", ...builtinModules, "*.wasm"],
    minify: true,
    legalComments: "none",
    write: false,
    metafile: true,
    logLevel: "silent",
  };
}

/** Makes it, of at most `mostBytes`. Rejects with what the bundler can't resolve. */
export async function edgeBundle(source: EdgeSource, mostBytes = HOST_BYTES): Promise<EdgeBundle> {
  const { outputFiles, metafile } = await build({ ...optionsOf(source), write: false, metafile: true });
  const script = outputFiles[0]?.text ?? "";
  const gzipBytes = gzipSync(script).byteLength;
  const [output] = Object.values(metafile.outputs);
  const used = transports.filter((path) => Object.hasOwn(output?.inputs ?? {}, path));
  const nodes = (output?.imports ?? []).map(({ path }) => path).filter(isBuiltin);
  const problems: string[] = [];
  if (used.length === 0)
    problems.push("it has no way to an engine: it calls neither startHost nor serveHost");
  if (used.length > 1) problems.push(`it has more than one way to an engine: ${used.join(", ")}`);
  if (nodes.length > 0) problems.push(`it imports ${[...new Set(nodes)].join(", ")}`);
  if (gzipBytes > mostBytes) problems.push(`it has ${gzipBytes} bytes (gzip); ${mostBytes} is the limit`);
  return { script, gzipBytes, problems };
}

/** What the build makes: every part of `troupe/edge`, and the same with `troupe/plugins/edge`. */
export const edgeBundles = {
  "a host": { source: { text: 'export * from "@troupe/runtime/edge";' }, mostBytes: HOST_BYTES },
  "a host of WebAssembly": {
    source: { text: 'export * from "@troupe/runtime/edge"; export * from "@troupe/plugins/edge";' },
    mostBytes: WASM_HOST_BYTES,
  },
} as const;

if (import.meta.main) {
  for (const [name, { source, mostBytes }] of Object.entries(edgeBundles)) {
    const { gzipBytes, problems } = await edgeBundle(source, mostBytes);
    console.log(`the edge bundle of ${name}: ${(gzipBytes / 1_000).toFixed(1)} kB gzip`);
    for (const problem of problems) console.error(`the edge bundle of ${name}: ${problem}`);
    if (problems.length > 0) process.exitCode = 1;
  }
}
