/** Shell text: just-bash is imported with its corrections. */
import { registerHooks } from "node:module";
import { corrected } from "./shell-corrections.ts";
import { workerUrl } from "./worker-url.ts";

const BUNDLE = /\/just-bash\/dist\/bundle\/(?<file>.+)$/;

/** Of a module that is corrected: what the corrections call. */
const PREAMBLE = `import*as bytes from${JSON.stringify(workerUrl("byte-text", import.meta.url).href)};`;

let isHooked = false;

/** Imports just-bash. Its commands are modules of their own, imported when they are first called: what is corrected stays so for the whole process. */
export async function importJustBash(): Promise<typeof import("just-bash")> {
  hook();
  return await import("just-bash");
}

function hook(): void {
  if (isHooked) return;
  isHooked = true;
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context);
      const file = BUNDLE.exec(url)?.groups?.file;
      if (file === undefined || loaded.source == null) return loaded;
      const source = corrected(file, textOf(loaded.source));
      return source === undefined ? loaded : { ...loaded, source: PREAMBLE + source };
    },
  });
}

/** A buffer's own way is much shorter than a decoder's first. */
function textOf(source: string | ArrayBuffer | NodeJS.TypedArray): string {
  if (typeof source === "string") return source;
  const { buffer, byteOffset, byteLength } = ArrayBuffer.isView(source) ? source : new Uint8Array(source);
  return Buffer.from(buffer, byteOffset, byteLength).toString();
}
