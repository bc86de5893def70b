/**
 * Checked module: a plugin's bytes, read once, looked at and compiled. What was compared with a digest is what is compiled.
 *
 * Nothing of it has run: what a module would import, export and hold is known from its bytes alone.
 */
import { createHash } from "node:crypto";
import { engineLimits } from "@troupe/protocol";
import { readBounded } from "../../bounded-file.ts";
import { nativeErrors } from "../native/errors.ts";
import { wasmErrors } from "./errors.ts";
import { checkShape } from "./module-shape.ts";
import { checkDeclared } from "./sections.ts";

/**
 * Reads a module; with `sha256`, only the one that has it. Rejects with `plugin.wasm_missing`, `plugin.wasm_too_large`,
 * `plugin.integrity_mismatch`.
 */
export async function readModule(path: string, sha256?: string): Promise<Uint8Array> {
  const bytes = await readBytes(path);
  const found = createHash("sha256").update(bytes).digest("hex");
  if (sha256 !== undefined && sha256.toLowerCase() !== found)
    throw nativeErrors.integrityMismatch(path, { expected: sha256, found });
  return bytes;
}

/**
 * Compiles a module whose memory may grow to `memoryBytes`. Rejects with `plugin.not_wasm`, `plugin.import_refused`,
 * `plugin.export_missing`, `plugin.wasm_refused`.
 */
export async function compileModule(bytes: Uint8Array, memoryBytes: number): Promise<WebAssembly.Module> {
  // A copy of its own: others may hold these bytes, and compiling takes a while.
  const module = await WebAssembly.compile(new Uint8Array(bytes)).catch((cause: unknown) => {
    throw wasmErrors.notWasm(cause);
  });
  checkShape(module);
  checkDeclared(bytes, memoryBytes);
  return module;
}

async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const limitBytes = engineLimits.wasmModuleBytes;
    const tooLarge = (bytes: number): Error => wasmErrors.tooLarge(path, bytes, limitBytes);
    return await readBounded(path, { limitBytes, tooLarge });
  } catch (cause) {
    if (cause instanceof Error && "errno" in cause) throw wasmErrors.missing(path, cause);
    throw cause;
  }
}
