/** Family: all series of one name, and their text. */
import { limits } from "@troupe/protocol";

type Labels = Readonly<Record<string, string>>;

interface Series {
  readonly labels: string;
  value: number;
  /** Histograms: how many fell up to each boundary, the last for all. */
  readonly buckets: number[];
}

/** What a family is made of. */
export interface FamilyParts {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly boundaries?: readonly number[] | undefined;
  readonly help?: string | undefined;
}

/** All series of one name. */
export class Family {
  readonly name: string;
  readonly kind: FamilyParts["kind"];
  readonly #help: string | undefined;
  readonly #boundaries: readonly number[];
  readonly #series = new Map<string, Series>();
  /** The same by labels as they are given, so that what comes again isn't written again. */
  readonly #given = new Map<string, Series>();

  constructor({ name, kind, boundaries = [], help }: FamilyParts) {
    this.name = name;
    this.kind = kind;
    this.#boundaries = boundaries;
    this.#help = help;
  }

  add(labels: Labels, value: number): void {
    this.#seriesOf(labels).value += value;
  }

  set(labels: Labels, value: number): void {
    this.#seriesOf(labels).value = value;
  }

  observe(labels: Labels, value: number): void {
    const series = this.#seriesOf(labels);
    series.value += value;
    const { buckets } = series;
    for (let n = 0; n < buckets.length; n++)
      if (value <= (this.#boundaries[n] ?? Number.POSITIVE_INFINITY)) buckets[n] = (buckets[n] ?? 0) + 1;
  }

  text(): string {
    const { name, kind } = this;
    const help = this.#help === undefined ? [] : [`# HELP ${name} ${escaped(this.#help, false)}`];
    const series = [...this.#series.values()].toSorted((one, other) => (one.labels < other.labels ? -1 : 1));
    return `${[...help, `# TYPE ${name} ${kind}`, ...series.flatMap((one) => this.#lines(one))].join("\n")}\n`;
  }

  #lines({ labels, value, buckets }: Series): string[] {
    const { name } = this;
    const all = labels === "" ? "" : `{${labels}}`;
    if (this.kind !== "histogram") return [`${name}${all} ${value}`];
    const joined = labels === "" ? "" : `${labels},`;
    const rows = [...this.#boundaries.map(String), "+Inf"].map(
      (boundary, n) => `${name}_bucket{${joined}le="${boundary}"} ${buckets[n] ?? 0}`,
    );
    return [...rows, `${name}_sum${all} ${value}`, `${name}_count${all} ${buckets.at(-1) ?? 0}`];
  }

  #seriesOf(labels: Labels): Series {
    const given = JSON.stringify(labels);
    const known = this.#given.get(given);
    if (known !== undefined) return known;
    const series = this.#writtenSeries(written(labels));
    if (this.#given.size < limits.relayMetricSeries) this.#given.set(given, series);
    return series;
  }

  #writtenSeries(key: string): Series {
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    const full = this.#series.size >= limits.relayMetricSeries;
    const place = full ? written({ overflow: "true" }) : key;
    const buckets = Array.from(
      { length: this.kind === "histogram" ? this.#boundaries.length + 1 : 0 },
      () => 0,
    );
    const series = this.#series.get(place) ?? { labels: place, value: 0, buckets };
    this.#series.set(place, series);
    return series;
  }
}

function written(labels: Labels): string {
  return Object.entries(labels)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, value]) => `${key}="${escaped(value, true)}"`)
    .join(",");
}

function escaped(text: string, quoted: boolean): string {
  const plain = text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return quoted ? plain.replaceAll('"', '\\"') : plain;
}
