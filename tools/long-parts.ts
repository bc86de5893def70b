/** The long campaigns: what each runs, and how long it may take. None is part of `npm test`, which has a short one of each. */

/** A campaign. */
export interface LongPart {
  readonly name: string;
  /** What it looks for. */
  readonly what: string;
  /** What Node is given. */
  readonly args: readonly string[];
  /** Then it has failed, and is ended with all that it has started. */
  readonly minutes: number;
}

const source = "--conditions=troupe-source";

/** All of them, in the order in which they run. */
export const longParts: readonly LongPart[] = [
  {
    name: "seeds",
    what: "simulated worlds, each from a seed of its own, for ten minutes",
    args: [source, "sim/run.ts", "--seeds", "1000000", "--minutes", "10"],
    minutes: 15,
  },
  {
    name: "kills",
    what: "500 times kill -9 of a server and its clients under load",
    args: ["test/kill/run.ts", "--kills", "500"],
    minutes: 45,
  },
  {
    name: "cuts",
    what: "200 times the power goes, in the middle of writes",
    args: ["test/power-loss/run.ts", "--cuts", "200"],
    minutes: 45,
  },
  {
    name: "soak",
    what: "ten minutes of mixed load on a gateway, whose memory must not grow",
    args: [source, "bench/soak.ts", "--minutes", "10"],
    minutes: 15,
  },
  {
    name: "leaks",
    what: "ten thousand plugins opened, closed and refused on each carrier",
    args: [source, "bench/leaks.ts"],
    minutes: 90,
  },
  {
    name: "fuzz",
    what: "20,000 plugins in C that are given damaged frames, under sanitizers",
    args: [source, "tools/fuzz-native.ts", "--runs", "20000"],
    minutes: 45,
  },
];

/** Those with these names; all where none is named. Throws for a name that none has. */
export function partsNamed(names: readonly string[]): readonly LongPart[] {
  const unknown = names.find((name) => !longParts.some((part) => part.name === name));
  if (unknown !== undefined)
    throw new RangeError(`There is no part ${unknown}: ${longParts.map(({ name }) => name).join(", ")}`);
  return names.length === 0 ? longParts : longParts.filter(({ name }) => names.includes(name));
}

/** For people, in one line. */
export function describePart({ name, what, args, minutes }: LongPart): string {
  return `${name}: ${what}, at most ${minutes} minutes (node ${args.join(" ")})`;
}
