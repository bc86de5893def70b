/** The page as a user's bundler makes it: for the browser, and for a server that renders it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** One script, for the page that the server has rendered. */
export function browserScript(): Promise<string> {
  return bundle("browser.tsx", "browser");
}

/** What a server sends. */
export async function serverHtml(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "troupe-react-server-"));
  const file = join(folder, "page.mjs");
  writeFileSync(file, await bundle("server.tsx", "node"));
  try {
    const module: { readonly html: string } = await import(file);
    return module.html;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** react-dom/server is CommonJS and asks for Node's modules. */
const banner = `import { createRequire } from "node:module"; const require = createRequire(import.meta.url);`;

async function bundle(entry: string, platform: "browser" | "node"): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    write: false,
    format: "esm",
    platform,
    jsx: "automatic",
    conditions: ["troupe-source"],
    // React's own warnings are what the test looks for.
    define: { "process.env.NODE_ENV": '"development"' },
    ...(platform === "node" ? { banner: { js: banner } } : {}),
  });
  return outputFiles[0]?.text ?? "";
}
