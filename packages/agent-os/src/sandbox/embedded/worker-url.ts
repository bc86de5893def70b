/** Where a worker's file is: TypeScript rewrites import specifiers when it builds, but not URLs. */
export function workerUrl(name: string, from: string): URL {
  const extension = new URL(from).pathname.endsWith(".ts") ? "ts" : "js";
  return new URL(`./${name}.${extension}`, from);
}
