/** Times as people say them. */
import { make } from "./dom.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const full = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

/** "just now", "5 min ago", "14:03". The day is said by the line between days. */
export function relativeTime(at: number, now: number): string {
  const age = now - at;
  if (age < MINUTE) return "just now";
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min ago`;
  return clock.format(at);
}

/** "Today", "Yesterday", "Monday 3 June". */
export function dayName(at: number, now: number): string {
  const day = dayOf(at);
  if (day === dayOf(now)) return "Today";
  return day === dayOf(now - 24 * HOUR) ? "Yesterday" : weekday.format(at);
}

/** The same text for all times of one day. */
export function dayOf(at: number): string {
  return new Date(at).toDateString();
}

/** A time that `refreshTimes` keeps right. */
export function timeElement(at: number): HTMLTimeElement {
  const datetime = new Date(at).toISOString();
  return make("time", { datetime, title: full.format(at) }, relativeTime(at, Date.now()));
}

/** Brings every time below `root` up to date. */
export function refreshTimes(root: ParentNode): void {
  for (const element of root.querySelectorAll("time")) {
    const text = relativeTime(Date.parse(element.dateTime), Date.now());
    if (element.textContent !== text) element.textContent = text;
  }
}
