/**
 * The ABI of native plugins (`sdks/c/include/troupe_plugin.h`) in WebAssembly: the same five functions, with pointers into
 * the module's own memory, and two more by which the host gets room there. `sdks/c/include/troupe_wasm.h` is for authors.
 */

/** The name that imports come from. */
export const IMPORT_MODULE = "troupe";

/** What a module may import from it: all functions. */
export const importNames: readonly string[] = ["now_ms", "random"];

/** What it must export, beside its memory: all functions. */
export const exportNames = [
  "troupe_plugin_abi",
  "troupe_plugin_alloc",
  "troupe_plugin_free",
  "troupe_plugin_open",
  "troupe_plugin_push",
  "troupe_plugin_pull",
  "troupe_plugin_close",
] as const;

/** One of those. */
export type ExportName = (typeof exportNames)[number];

/** Its memory. */
export const MEMORY = "memory";
