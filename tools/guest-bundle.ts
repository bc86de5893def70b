/**
 * Programs that are run by their path, each bundled into one script: that of an isolate (`packages/plugins/src/carriers/isolate/guest/`),
 * which what runs from the sources takes as well, and that of a sandbox of real processes. Part of the build: they are published.
 */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const plugins = new URL("../packages/plugins/", import.meta.url);

/** Builds it. Rejects when it imports anything of a platform's. */
export async function buildGuest(): Promise<void> {
  await build({
    entryPoints: [fileURLToPath(new URL("src/carriers/isolate/guest/main.ts", plugins))],
    outfile: fileURLToPath(new URL("dist/isolate-guest.js", plugins)),
    bundle: true,
    format: "iife",
    // Not "node": an import of a built-in module fails the build.
    platform: "neutral",
    target: "es2024",
    mainFields: ["module", "main"],
    conditions: ["troupe-source"],
    minify: true,
    logLevel: "warning",
  });
}

/**
 * What begins a sandbox of real processes (`packages/agent-os/src/sandbox/bubblewrap/inside/`), in place of what was built of it: in one
 * file, and of the kind that Node takes it for without a look at its contents, it is there in two thirds of the time.
 */
async function buildSupervisor(): Promise<void> {
  const bubblewrap = new URL("../packages/agent-os/", import.meta.url);
  await build({
    entryPoints: [fileURLToPath(new URL("src/sandbox/bubblewrap/inside/supervisor.ts", bubblewrap))],
    outfile: fileURLToPath(new URL("dist/sandbox/bubblewrap/inside/supervisor.js", bubblewrap)),
    bundle: true,
    format: "cjs",
    platform: "node",
    target: "node24",
    external: ["@lydell/node-pty"],
    define: { "import.meta.url": "__filename" },
    logLevel: "warning",
  });
}

if (import.meta.main) {
  await buildGuest();
  await buildSupervisor();
}
