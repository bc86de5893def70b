/**
 * Why a value was refused, and where.
 *
 * The walkers on the hot path (`clone.ts`, `json-write.ts`, `cbor-write.ts`) keep no path: they just stop. Then this one walks the
 * same value again, slowly, with the way that it took, and throws the error that the user reads.
 */
import { valueErrors } from "../errors.ts";
import { limits } from "../limits.ts";
import { isBigintInLimit } from "./bigint.ts";
import { errorParts } from "./error-value.ts";
import { describeType, hasSymbols, kindOf } from "./kind.ts";
import { renderPath, type Step } from "./path.ts";
import { unwrap } from "./raw.ts";
import { bytesOf, viewType } from "./views.ts";

/** What a walker throws to stop; it never leaves this package. One object, so that a refusal costs no stack trace. */
export const REFUSED = new Error("refused");

/**
 * Throws the TroupeError that says what is wrong with `value`. `maxDepth`: what the walker that refused allowed; `cause`:
 * what it threw.
 */
export function explain(
  value: unknown,
  root: string,
  { maxDepth = limits.valueDepth, cause }: { readonly maxDepth?: number; readonly cause?: unknown } = {},
): never {
  const explainer = new Explainer(root, maxDepth);
  explainer.visit(value);
  // Nothing is wrong with it, and there was no room for it.
  if (cause instanceof RangeError) throw valueErrors.noMemory(renderPath(root, []), cause);
  // A getter that answers differently each time.
  throw valueErrors.unsupportedType(renderPath(root, []), "a value that couldn't be read");
}

class Explainer {
  private readonly steps: Step[] = [];
  private readonly ancestors = new Set<object>();
  private left: number = limits.valueEntries;
  private readonly root: string;
  private readonly maxDepth: number;

  constructor(root: string, maxDepth: number) {
    this.root = root;
    this.maxDepth = maxDepth;
  }

  visit(value: unknown): void {
    if (typeof value === "function" || typeof value === "symbol") this.unsupported(describeType(value));
    if (typeof value === "bigint" && !isBigintInLimit(value))
      this.unsupported(`a bigint of more than ${limits.bigintBytes} bytes`);
    if (typeof value === "object" && value !== null) this.visitObject(this.attempt(() => unwrap(value)));
  }

  private visitObject(value: object): void {
    const kind = this.attempt(() => kindOf(value));
    switch (kind) {
      case "unsupported":
        this.unsupported(describeType(value));
        break;
      case "date":
        this.attempt(() => Date.prototype.getTime.call(value));
        break;
      case "regexp":
        this.attempt(() => (value as RegExp).source + (value as RegExp).flags);
        break;
      case "buffer":
        this.attempt(() => new Uint8Array(value as ArrayBuffer));
        break;
      case "view":
        if (viewType(value as ArrayBufferView) === undefined) this.unsupported(describeType(value));
        this.attempt(() => bytesOf(value as ArrayBufferView));
        break;
      default:
        this.visitContainer(value, kind);
    }
  }

  private visitContainer(value: object, kind: "array" | "object" | "map" | "set" | "error"): void {
    if (this.ancestors.has(value)) throw valueErrors.cyclic(this.path());
    if (this.ancestors.size >= this.maxDepth) throw valueErrors.tooDeep(this.path(), limits.valueDepth);
    this.ancestors.add(value);
    if (kind === "array") this.visitArray(value as readonly unknown[]);
    else if (kind === "map")
      this.visitEntries(this.attempt(() => [...(value as Map<unknown, unknown>)].flat(1)));
    else if (kind === "set") this.visitEntries(this.attempt(() => [...(value as Set<unknown>)]));
    else if (kind === "error") this.visitProperties(this.attempt(() => errorParts(value as Error)));
    else this.visitProperties(value);
    this.ancestors.delete(value);
  }

  private visitArray(value: readonly unknown[]): void {
    const length = this.attempt(() => value.length);
    this.spend(length);
    for (let index = 0; index < length; index++) {
      this.step(index, () => value[index]);
    }
  }

  private visitEntries(entries: readonly unknown[]): void {
    this.spend(entries.length);
    for (const [index, entry] of entries.entries()) this.step(index, () => entry);
  }

  private visitProperties(value: object): void {
    if (this.attempt(() => hasSymbols(value))) this.unsupported("an object with a symbol for a key");
    const keys = this.attempt(() => Object.keys(value));
    this.spend(keys.length);
    for (const key of keys) {
      if (key === "__proto__") throw valueErrors.forbiddenKey(this.path(), key);
      this.step(key, () => (value as Record<string, unknown>)[key]);
    }
  }

  private step(step: Step, read: () => unknown): void {
    this.steps.push(step);
    this.visit(this.attempt(read));
    this.steps.pop();
  }

  /** Getters and the traps of proxies run the user's code, which may throw anything. */
  private attempt<T>(read: () => T): T {
    try {
      return read();
    } catch {
      return this.unsupported("an object that throws when it is read");
    }
  }

  private spend(entries: number): void {
    this.left -= entries;
    if (this.left < 0) throw valueErrors.tooManyEntries(this.path(), limits.valueEntries);
  }

  private unsupported(type: string): never {
    throw valueErrors.unsupportedType(this.path(), type);
  }

  private path(): string {
    return renderPath(this.root, this.steps);
  }
}
