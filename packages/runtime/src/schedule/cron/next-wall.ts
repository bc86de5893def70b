/** The next date and hour that an expression's fields have, on a wall where no clock is ever changed. */
import { type CronFields, LAST } from "./fields.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** After so many years every date has been on every weekday. */
const YEARS_AHEAD = 400;

/** The first wall time behind another one; undefined when there is none. */
export function nextWall(fields: CronFields, wall: number): number | undefined {
  const today = Math.floor(wall / DAY_MS) * DAY_MS;
  const later = timeAfter(fields, wall - today);
  if (later !== undefined && isDay(fields, today)) return today + later;
  const first = timeAfter(fields, -SECOND_MS);
  const lastYear = new Date(wall).getUTCFullYear() + YEARS_AHEAD;
  for (let day = today + DAY_MS; first !== undefined; ) {
    const date = new Date(day);
    const year = date.getUTCFullYear();
    if (!(year <= lastYear)) return undefined;
    if (!fields.months.has(date.getUTCMonth() + 1)) day = Date.UTC(year, date.getUTCMonth() + 1, 1);
    else if (isDay(fields, day)) return day + first;
    else day += DAY_MS;
  }
  return undefined;
}

/** The first time of a day behind one of it, in milliseconds. */
function timeAfter({ hours, minutes, seconds }: CronFields, time: number): number | undefined {
  const later = Math.floor(time / SECOND_MS) * SECOND_MS + SECOND_MS;
  for (const hour of hours) {
    const atHour = hour * HOUR_MS;
    if (atHour + HOUR_MS <= later) continue;
    for (const minute of minutes) {
      const atMinute = atHour + minute * MINUTE_MS;
      if (atMinute + MINUTE_MS <= later) continue;
      const second = seconds.find((each) => atMinute + each * SECOND_MS >= later);
      if (second !== undefined) return atMinute + second * SECOND_MS;
    }
  }
  return undefined;
}

function isDay(fields: CronFields, wall: number): boolean {
  const { months, anyDay, anyWeekday, bothDays } = fields;
  const date = new Date(wall);
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const inMonth = isDayOfMonth(fields, date);
  if (anyWeekday) return inMonth;
  const inWeek = isWeekday(fields, date);
  return bothDays || anyDay ? inMonth && inWeek : inMonth || inWeek;
}

function isDayOfMonth({ days, monthDays }: CronFields, date: Date): boolean {
  const day = date.getUTCDate();
  if (days.has(day)) return true;
  const { last, lastWeekday, nearest } = monthDays;
  if (!last && !lastWeekday && nearest.size === 0) return false;
  const length = lengthOfMonth(date);
  if ((last && day === length) || (lastWeekday && day === weekdayNear(date, length, length))) return true;
  return [...nearest].some((each) => each <= length && weekdayNear(date, each, length) === day);
}

/** Which of its weekday in the month it is. */
function isWeekday({ weekdays }: CronFields, date: Date): boolean {
  const which = weekdays.get(date.getUTCDay()) ?? 0;
  const day = date.getUTCDate();
  const nth = 1 << Math.floor((day - 1) / 7);
  return (which & nth) !== 0 || ((which & LAST) !== 0 && day + 7 > lengthOfMonth(date));
}

/** The weekday that is nearest to a day, in the same month. */
function weekdayNear(date: Date, day: number, length: number): number {
  const weekday = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), day)).getUTCDay();
  if (weekday === 0) return day === length ? day - 2 : day + 1;
  if (weekday === 6) return day === 1 ? day + 2 : day - 1;
  return day;
}

function lengthOfMonth(date: Date): number {
  return new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
}
