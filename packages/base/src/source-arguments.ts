/**
 * What Node needs to run `main` as TypeScript, in this repository alone: what is built, and what is installed, needs
 * nothing. Programs that have an empty environment are told in an argument where compiled sources are kept: `cache` is
 * the value of `NODE_COMPILE_CACHE`.
 */
export function sourceArguments(main: string, cache: string | undefined): string[] {
  if (!main.endsWith(".ts")) return [];
  const conditions = ["--conditions=troupe-source"];
  if (!cache) return conditions;
  const enable = `import { enableCompileCache } from "node:module"; enableCompileCache(${JSON.stringify(cache)});`;
  return [...conditions, `--import=data:text/javascript,${encodeURIComponent(enable)}`];
}
