/**
 * Where something stands in a workflow: the names around it and its own, as in "orders/#3/charge". Each name is used once
 * in its place, so a location is what a run of the same code finds again. It is also the end of the row's key.
 */
import { WORKFLOW_PREFIX } from "../ports/storage.ts";

/** The workflow's own place. */
export const ROOT = "";

const DIGITS = 10;

/** A place inside of another. */
export function inside(scope: string, name: string): string {
  const segment = encodeURIComponent(name);
  return scope === ROOT ? segment : `${scope}/${segment}`;
}

/** One round of a loop. No name begins with `#`: it is escaped in them. */
export function roundOf(loop: string, round: number): string {
  return `${loop}/#${String(round).padStart(DIGITS, "0")}`;
}

/** The place around another. */
export function around(location: string): string {
  const cut = location.lastIndexOf("/");
  return cut < 0 ? ROOT : location.slice(0, cut);
}

/** For people. */
export function readable(location: string): string {
  return location
    .split("/")
    .map((part) => (part.startsWith("#") ? `#${Number(part.slice(1))}` : decodeURIComponent(part)))
    .join("/");
}

/** Where the history of a workflow begins. Throws for half of a surrogate pair. */
export function historyOf(id: string): string {
  return `${WORKFLOW_PREFIX}h:${encodeURIComponent(id)}/`;
}

/** Behind every key that begins with `prefix`. */
export function endOf(prefix: string): string {
  return prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);
}

/** Where the records of those that go on begin. */
export const ACTIVE = `${WORKFLOW_PREFIX}a:`;

/** The record of a workflow that goes on. */
export function activeKey(id: string): string {
  return ACTIVE + encodeURIComponent(id);
}

/** Where the records of those that have ended begin. */
export const ENDED = `${WORKFLOW_PREFIX}e:`;

/** The record of one that has ended. */
export function endedKey(id: string): string {
  return ENDED + encodeURIComponent(id);
}

/** Ids of those that have ended, in the order of their ends. */
export function orderKey(number: number): string {
  return `${WORKFLOW_PREFIX}o:${String(number).padStart(16, "0")}`;
}
