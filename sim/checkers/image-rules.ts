/**
 * One turn, one transaction: what must hold in every image that a crash could leave, which is after each transaction.
 *
 * Every turn of our actors that writes a mark writes two numbers and a key as well, and some write a schedule. So an image in
 * which a turn is there by half doesn't add up.
 */
import type { StoredActor } from "../disk/image.ts";
import { checkEntries } from "./entries.ts";
import { checkTranscript } from "./heard.ts";
import type { StoredState } from "./stored-state.ts";
import { isMark, markOf, tokenWith } from "./tokens.ts";

/** What is wrong with an actor on disk, whose rows say `state`; `undefined` when it adds up. */
export function checkActor(actor: StoredActor, state: StoredState | undefined): string | undefined {
  const where = `actor ${actor.record.name} ${actor.record.key.join("/")} (${actor.record.id})`;
  if (state === undefined) return actor.rows.size === 0 ? undefined : `${where} has rows, but no log`;
  const { log, count, mirror, key } = state;
  if (count !== log.length || mirror !== log.length || key !== log.length) {
    return `${where}: ${log.length} marks, count ${count}, mirror ${mirror}, key ${key}: half a turn`;
  }
  const twice = log.find((mark, index) => isOnce(mark) && log.indexOf(mark) !== index);
  if (twice !== undefined) return `${where}: ${twice} was written twice`;
  const entries = checkEntries(state) ?? checkTranscript(state.transcript);
  return entries === undefined ? checkSchedules(where, state, actor.alarm) : `${where}: ${entries}`;
}

/** A scheduled call may run twice, a message that must be completed may come twice, and hooks run many times. */
export function isOnce(mark: string): boolean {
  const again = tokenWith(mark, "ring") ?? tokenWith(mark, "job");
  return isMark(mark) && again === undefined && !mark.includes(":beat");
}

function checkSchedules(where: string, state: StoredState, alarm: number | undefined): string | undefined {
  const marks = new Set(state.log);
  const stored = new Set(state.schedules.map(({ token }) => token));
  for (const token of stored) {
    if (!marks.has(markOf(token, "sched")))
      return `${where}: the schedule of ${token} is there without its mark`;
  }
  for (const mark of marks) {
    const token = tokenWith(mark, "sched");
    if (token === undefined) continue;
    const over = marks.has(markOf(token, "ring")) || marks.has(markOf(token, "cancel"));
    if (!over && !stored.has(token)) return `${where}: ${mark} is there without its schedule`;
  }
  const jobs = new Set(state.jobs.map(({ token }) => token));
  for (const mark of marks) {
    const token = tokenWith(mark, "recur");
    if (token === undefined || marks.has(markOf(token, "end")) === !jobs.has(token)) continue;
    return `${where}: ${mark} is there, and its job is ${jobs.has(token) ? "as well, behind its end" : "not"}`;
  }
  const earliest = Math.min(...[...state.schedules, ...state.jobs].map(({ dueAt }) => dueAt));
  if (earliest < (alarm ?? Infinity)) return `${where}: its alarm is later than its earliest schedule`;
  return undefined;
}
