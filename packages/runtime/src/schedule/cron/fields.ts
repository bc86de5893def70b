/**
 * What a cron expression says, by its fields: `second? minute hour day-of-month month day-of-week`.
 *
 *   value      `*`, `?`, a number, `a-b`, `a-b/n`, the same of all, and lists of those; JAN to DEC, SUN to SAT, 7 is Sunday
 *   day        `L` the last one, `LW` the last weekday, `15W` the weekday that is nearest to the 15th, in its month
 *   weekday    `5#2` the second Friday, `5#L` and `5L` the last; `+` in front: the day of the month must be right as well
 *
 * Where both days are restricted one of them is enough, as cron has always had it.
 */

/** Days of a month that depend on the month. */
export interface MonthDays {
  readonly last: boolean;
  readonly lastWeekday: boolean;
  /** The days whose nearest weekday is meant. */
  readonly nearest: ReadonlySet<number>;
}

/** Which of a month's weekdays: bit n-1 is the nth, and this the last. */
export const LAST = 32;
const EVERY = 63;

/** An expression, taken apart. */
export interface CronFields {
  /** In order, as are minutes and hours. */
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: ReadonlySet<number>;
  readonly monthDays: MonthDays;
  /** 1 to 12. */
  readonly months: ReadonlySet<number>;
  /** By weekday, 0 to 6: which of a month. */
  readonly weekdays: ReadonlyMap<number, number>;
  readonly anyDay: boolean;
  readonly anyWeekday: boolean;
  /** `+`. */
  readonly bothDays: boolean;
  /** One time of the day, and not a pattern of times. */
  readonly fixedTime: boolean;
}

const nicknames: Readonly<Record<string, string>> = {
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
  "@monthly": "0 0 1 * *",
  "@weekly": "0 0 * * 0",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@hourly": "0 * * * *",
};

const monthNames = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const dayNames = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** The values of one field. */
interface Field {
  readonly title: string;
  readonly from: number;
  readonly to: number;
  /** The first one's value is `from`. */
  readonly names?: readonly string[];
}

const minute: Field = { title: "minute", from: 0, to: 59 };
const second: Field = { ...minute, title: "second" };
const hour: Field = { title: "hour", from: 0, to: 23 };
const monthDay: Field = { title: "day of the month", from: 1, to: 31 };
const month: Field = { title: "month", from: 1, to: 12, names: monthNames };
const weekday: Field = { title: "day of the week", from: 0, to: 7, names: dayNames };

/** Takes an expression of five or six fields, or a nickname, apart. Throws a RangeError that says what is wrong. */
export function parseCron(expression: string): CronFields {
  const texts = (nicknames[expression.trim().toLowerCase()] ?? expression).trim().toUpperCase().split(/\s+/);
  if (texts.length === 5) texts.unshift("0");
  const [s = "", m = "", h = "", d = "", mon = "", wd = "", ...more] = texts.map((text) =>
    text.replaceAll("?", "*"),
  );
  if (wd === "" || more.length > 0) throw new RangeError("it takes five fields, or six with seconds");
  const bothDays = wd.startsWith("+");
  const weekdayText = bothDays ? wd.slice(1) : wd;
  const inOrder = (text: string, field: Field): number[] =>
    [...valuesOf(text, field)].sort((one, other) => one - other);
  const [seconds, minutes, hours] = [inOrder(s, second), inOrder(m, minute), inOrder(h, hour)];
  const single = (text: string, values: readonly number[]): boolean =>
    !/[*/]/.test(text) && values.length === 1;
  return {
    ...{ seconds, minutes, hours, bothDays },
    ...daysOf(d),
    months: valuesOf(mon, month),
    weekdays: weekdaysOf(weekdayText),
    anyDay: d === "*",
    anyWeekday: weekdayText === "*",
    fixedTime: single(s, seconds) && single(m, minutes) && single(h, hours),
  };
}

function daysOf(text: string): Pick<CronFields, "days" | "monthDays"> {
  const nearest = new Set<number>();
  const plain: string[] = [];
  const items = text.split(",");
  const last = items.includes("L");
  if (text === "LW") return { days: new Set(), monthDays: { last: false, lastWeekday: true, nearest } };
  for (const item of items) {
    const [, day] = /^(\d+)W$/.exec(item) ?? [];
    if (day !== undefined) nearest.add(numberOf(day, monthDay));
    else if (item !== "L") plain.push(item);
  }
  const days = new Set(plain.flatMap((item) => itemValues(item, monthDay)));
  return { days, monthDays: { last, lastWeekday: false, nearest } };
}

function weekdaysOf(text: string): ReadonlyMap<number, number> {
  const weekdays = new Map<number, number>();
  for (const item of text.split(",")) {
    const [, days = "", which] = /^(.*?)(?:#([1-5L])|(?<=[\dA-Z])L)?$/.exec(item) ?? [];
    const isLast = which === "L" || (which === undefined && days !== item);
    const bits = isLast ? LAST : which === undefined ? EVERY : 1 << (Number(which) - 1);
    for (const day of itemValues(days, weekday)) weekdays.set(day % 7, (weekdays.get(day % 7) ?? 0) | bits);
  }
  return weekdays;
}

function valuesOf(text: string, field: Field): ReadonlySet<number> {
  return new Set(text.split(",").flatMap((item) => itemValues(item, field)));
}

/** One item of a list. */
function itemValues(item: string, field: Field): number[] {
  const [range = "", stepText, ...more] = item.split("/");
  const [from = "", to, ...others] = range.split("-");
  const isRange = range === "*" || to !== undefined;
  if (more.length > 0 || others.length > 0 || (stepText !== undefined && !isRange)) throw wrong(item, field);
  const first = range === "*" ? field.from : numberOf(from, field);
  const last = range === "*" ? lastOf(field) : to === undefined ? first : endOf(to, field);
  const step = stepText === undefined ? 1 : digits(stepText);
  if (!(step >= 1 && step <= lastOf(field) - field.from + 1) || first > last) throw wrong(item, field);
  return Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step);
}

/** Sunday has two numbers, and is there once. */
function lastOf({ to, names }: Field): number {
  return names === dayNames ? 6 : to;
}

/** A week may end with Sunday. */
function endOf(text: string, field: Field): number {
  return field.names === dayNames && text === "SUN" ? 7 : numberOf(text, field);
}

function numberOf(text: string, field: Field): number {
  const named = field.names?.indexOf(text) ?? -1;
  const value = named >= 0 ? named + field.from : digits(text);
  if (value >= field.from && value <= field.to) return value;
  throw wrong(text, field);
}

function digits(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : Number.NaN;
}

function wrong(text: string, { title }: Field): RangeError {
  return new RangeError(`"${text}" is no ${title}`);
}
