import { stripTypeScriptTypes } from "node:module";

/** JavaScript for the browser: each type becomes as much white space, so that lines and columns stay. */
export function withoutTypes(source: string): string {
  return withoutWarnings(() => stripTypeScriptTypes(source));
}

/** Node calls the function experimental, once, on the terminal of whoever runs this. It is what runs `.ts` files. */
function withoutWarnings<T>(work: () => T): T {
  const { emitWarning } = process;
  process.emitWarning = () => {};
  try {
    return work();
  } finally {
    process.emitWarning = emitWarning;
  }
}
