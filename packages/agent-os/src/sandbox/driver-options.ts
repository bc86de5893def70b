/** What a program gives a driver of sandboxes, checked. */
import { nearest } from "@troupe/base";
import { configErrors } from "../errors.ts";

/** A limit that a program may set: how much at most, and whether it is a whole number. */
export interface DriverLimit {
  readonly most?: number;
  readonly isWhole?: boolean;
}

/** Throws `config.unknown_option`, `config.invalid_option`. */
export function checkDriverOptions(
  driver: string,
  options: object,
  { limits, others = [] }: { limits: Readonly<Record<string, DriverLimit>>; others?: readonly string[] },
): void {
  const known = [...Object.keys(limits), ...others];
  for (const [name, value] of Object.entries(options)) {
    if (!known.includes(name)) throw configErrors.unknownOption(driver, name, nearest(name, known));
    const limit = limits[name];
    if (limit === undefined || value === undefined) continue;
    const { most = Number.MAX_SAFE_INTEGER, isWhole = true } = limit;
    const isNumber = isWhole ? Number.isSafeInteger(value) : Number.isFinite(value);
    if (isNumber && value > 0 && value <= most) continue;
    const expected = isWhole ? "a whole number" : "a number";
    const range = limit.most === undefined ? "above 0" : `from 1 to ${most}`;
    throw configErrors.invalidOption(`${driver}.${name}`, `${expected} ${range}`);
  }
}
