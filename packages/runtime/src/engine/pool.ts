/** What a pool of hosts is called, and what a version of their program is: one rule, for hosts, tokens, engines and actors. */

/** The pool of a program's own host processes (`troupe start --hosts`), which end with it. */
export const PROCESS_POOL = "troupe:processes";

/** What {@link isPoolName} takes, for errors. */
export const POOL_NAME =
  "1 to 64 letters, digits, dots, dashes, colons and underscores, a letter or digit first";

/** What {@link isProgramVersion} takes, for errors. */
export const PROGRAM_VERSION = "a whole number from 0 on";

/** True for the name of a pool. */
export function isPoolName(name: unknown): name is string {
  return typeof name === "string" && /^[A-Za-z0-9][\w.:-]{0,63}$/.test(name);
}

/** True for a version of a program. */
export function isProgramVersion(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
