/**
 * What programs give to the relay, looked at before anything is made of it. No compiler has seen what comes from plugins and
 * from plain JavaScript: what can't be used is refused with `relay.option_invalid` and the name of what is wrong.
 */
import { relayErrors } from "./errors.ts";

/** Throws unless it is an object whose properties can be read. `what`: how the program calls it. */
export function checkReadable(given: unknown, what = "options"): asserts given is object {
  if (typeof given !== "object" || given === null) throw relayErrors.optionInvalid(what, "an object");
  let property = "";
  try {
    for (const key in given) {
      property = `.${key}`;
      Reflect.get(given, key);
    }
  } catch (cause) {
    throw relayErrors.optionInvalid(`${what}${property}`, "readable", cause);
  }
}

/** Throws at an option that nobody would read. */
export function checkKnown(given: object, known: readonly string[]): void {
  for (const name of Object.keys(given))
    if (!known.includes(name)) throw relayErrors.optionInvalid(name, `one of: ${known.join(", ")}`);
}

/** Throws unless it is a text. */
export function checkText(given: unknown, what: string): asserts given is string {
  if (typeof given !== "string") throw relayErrors.optionInvalid(what, "a text");
}

/** Throws unless it can be called. */
export function checkFunction(given: unknown, what: string): void {
  if (typeof given !== "function") throw relayErrors.optionInvalid(what, "a function");
}

/** Throws unless it is a list of texts, or left out. */
export function checkTexts(given: unknown, what: string): void {
  if (given === undefined) return;
  if (!isList(given) || !given.every((one) => typeof one === "string"))
    throw relayErrors.optionInvalid(what, "a list of texts");
}

/** Throws unless it is an object of facts, null, or left out. */
export function checkMetadata(given: unknown): void {
  if (given === undefined || given === null) return;
  if (typeof given !== "object" || isList(given)) throw relayErrors.optionInvalid("metadata", "an object");
}

/** Throws unless it is a signal, or left out. */
export function checkSignal(given: unknown): void {
  // Also another realm's.
  if (
    given !== undefined &&
    attempt(() => typeof Reflect.get(Object(given), "addEventListener") === "function") !== true
  )
    throw relayErrors.optionInvalid("signal", "an AbortSignal");
}

/** What `read` makes of something that may be anything; undefined where reading it throws. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function isList(given: unknown): given is readonly unknown[] {
  return attempt(() => Array.isArray(given)) === true;
}
