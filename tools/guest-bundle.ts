/**
 * The program of an isolate (`packages/plugins/src/carriers/isolate/guest/`), bundled into one script. Part of the
 * build: it is published, and what runs from the sources takes it as well.
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

if (import.meta.main) await buildGuest();
