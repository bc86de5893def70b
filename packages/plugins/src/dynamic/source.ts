/** Sources of dynamic actors, as programs and loaders give them; and what is wrong with one that can't be. */
import { limits } from "@troupe/protocol";
import { dynamicErrors } from "../carriers/isolate/errors.ts";

/** The limits of each actor's isolate. */
export interface IsolateLimits {
  /** MiB of its heap and its buffers. Default 64, at least 8. */
  readonly memoryLimit?: number;
  /** Milliseconds of one uninterrupted run. Default 1,000. */
  readonly cpuTimeLimitMs?: number;
}

/** The code of an actor. */
export interface ActorSource {
  /**
   * An ES module, whose default export is what `actor({ … })` gives: its text, or where it is: `new URL(…)`, `file:`, `http:` or
   * `https:`, which is read at each activation.
   */
  readonly source: string | URL;
  /** What it is written in. Default: "esm-ts" for a URL whose path ends with .ts or .mts, else "esm-js". */
  readonly sourceFormat?: SourceFormat;
  /** The source's SHA-256, hexadecimal: another one isn't run. Default: any. */
  readonly sha256?: string;
}

/** "esm-js": JavaScript. "esm-ts": TypeScript, whose types are taken away; what is more than types (enums) is refused. */
export type SourceFormat = "esm-js" | "esm-ts";

/** A source, as a loader gives it. */
export interface DynamicSource extends ActorSource {
  /** In place of the definition's `limits`. */
  readonly nodeProcess?: IsolateLimits;
}

const formats: ReadonlySet<unknown> = new Set<SourceFormat>(["esm-js", "esm-ts"]);
const schemes: ReadonlySet<string> = new Set(["file:", "http:", "https:"]);
/** One line, as no module is: it would export nothing. */
const onlyAddress = /^(?:file|https?):\/\/\S*$/i;
const digest = /^[0-9a-f]{64}$/i;

/** True for the path of a module in TypeScript. */
export function isTypeScript(path: string): boolean {
  return /\.m?ts$/.test(path);
}

/** True for a source in TypeScript. */
export function hasTypes({ source, sourceFormat }: ActorSource): boolean {
  if (sourceFormat !== undefined) return sourceFormat === "esm-ts";
  return source instanceof URL && isTypeScript(source.pathname);
}

/** What a loader gave. Throws `dynamic.bad_option`, `dynamic.source_too_long`. */
export function checkLoaded(given: DynamicSource): DynamicSource {
  if (typeof given !== "object" || given === null) throw dynamicErrors.badOption("a source is an object");
  const { nodeProcess, ...source } = given;
  checkSource(source);
  checkLimits(nodeProcess);
  return given;
}

/** Throws `dynamic.bad_option`, `dynamic.source_too_long`. */
export function checkSource({ source, sourceFormat, sha256, ...others }: ActorSource): void {
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw dynamicErrors.badOption(`there is no option "${unknown}"`);
  if (typeof source === "string") checkText(source);
  else if (!(source instanceof URL && schemes.has(source.protocol)))
    throw dynamicErrors.badOption("`source` must be the text of a module, or a file:, http: or https: URL");
  if (sourceFormat !== undefined && !formats.has(sourceFormat))
    throw dynamicErrors.badOption('`sourceFormat` must be "esm-js" or "esm-ts"');
  if (sha256 !== undefined && !(typeof sha256 === "string" && digest.test(sha256)))
    throw dynamicErrors.badOption("`sha256` must be 64 hexadecimal digits");
}

function checkText(source: string): void {
  checkLength(Buffer.byteLength(source));
  // As JavaScript, an address is a label and a comment.
  const address = onlyAddress.exec(source.trim())?.[0];
  if (address !== undefined)
    throw dynamicErrors.badOption(
      `\`source\` is an address and not a module: give new URL(${JSON.stringify(address)})`,
    );
}

/** Throws `dynamic.source_too_long`. */
export function checkLength(bytes: number): void {
  if (bytes > limits.isolateSourceBytes) throw tooLong(bytes);
}

/** What is wrong with a source of so many bytes. */
export function tooLong(bytes: number): Error {
  return dynamicErrors.sourceTooLong(bytes, limits.isolateSourceBytes);
}

/** Throws `dynamic.bad_option`. */
export function checkLimits(given: IsolateLimits | undefined): void {
  const { memoryLimit = limits.isolateMemoryMb, cpuTimeLimitMs = limits.isolateTimeMs } = given ?? {};
  if (!(Number.isInteger(memoryLimit) && memoryLimit >= limits.isolateMemoryLeastMb))
    throw dynamicErrors.badOption(
      `\`memoryLimit\` must be whole MiB, at least ${limits.isolateMemoryLeastMb}`,
    );
  if (!(Number.isInteger(cpuTimeLimitMs) && cpuTimeLimitMs >= 1))
    throw dynamicErrors.badOption("`cpuTimeLimitMs` must be whole milliseconds, at least 1");
}
