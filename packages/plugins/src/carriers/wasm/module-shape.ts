/** What a compiled module imports and exports, held against the ABI. Nothing of it has run. */
import { exportNames, IMPORT_MODULE, importNames, MEMORY } from "./contract.ts";
import { wasmErrors } from "./errors.ts";

/** Throws `plugin.import_refused`, `plugin.export_missing`. */
export function checkShape(module: WebAssembly.Module): void {
  checkImports(module);
  checkExports(module);
}

function checkImports(module: WebAssembly.Module): void {
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    if (from === IMPORT_MODULE && importNames.includes(name) && kind === "function") continue;
    const allowed = importNames.map((one) => `${IMPORT_MODULE}.${one}`);
    throw wasmErrors.importRefused(`${from}.${name}`, kind, allowed);
  }
}

function checkExports(module: WebAssembly.Module): void {
  const kinds = new Map(WebAssembly.Module.exports(module).map(({ name, kind }) => [name, kind]));
  const missing = exportNames.filter((name) => kinds.get(name) !== "function").map((name) => `${name}()`);
  if (kinds.get(MEMORY) !== "memory") missing.push("its memory");
  if (missing.length > 0) throw wasmErrors.exportMissing(missing);
}
