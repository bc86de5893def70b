/**
 * Figures of a gateway and its host in Prometheus' text format, named as OpenTelemetry names what it exports there. Labels are names of
 * definitions, plugins and states, so that their number is that of the program: never keys, ids, users or texts.
 */
import type { Histogram } from "../histogram.ts";
import type { ActorHost } from "../host/actor-host.ts";
import type { PluginSet, PluginView } from "../ports/plugin-set.ts";
import type { CommitTimes } from "../ports/storage.ts";
import type { CallFigures } from "./call-figures.ts";

/** Where figures come from. */
export interface MetricsParts {
  readonly host: Pick<ActorHost, "size" | "places" | "figures" | "commits">;
  readonly sockets: () => number;
  readonly calls: CallFigures;
  readonly plugins: Pick<PluginSet, "view"> | undefined;
  readonly loopLag?: Histogram | undefined;
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number];

/** What a gateway counts, and what it finds when it is asked. */
export class Metrics {
  readonly #parts: MetricsParts;
  #actions = 0;

  constructor(parts: MetricsParts) {
    this.#parts = parts;
  }

  /** An HTTP action came in. */
  action(): void {
    this.#actions += 1;
  }

  text(): string {
    const { host, sockets, plugins, calls, loopLag } = this.#parts;
    const lives = [...host.figures];
    const starts = lives.filter(({ event }) => event === "started" || event === "start_failed");
    const stops = lives.filter((life) => !starts.includes(life));
    return [
      ...gauge("troupe_actors_awake", "Actors that are awake, waking or going to sleep.", [[{}, host.size]]),
      ...gauge("troupe_actor_instances", "The same, by name and state.", instances(host)),
      ...counter(
        "troupe_actor_starts_total",
        "Actors that woke or were made, and that couldn't be.",
        starts.map(({ name, event, count }) => [
          { actor_name: name, outcome: event === "started" ? "ok" : "error" },
          count,
        ]),
      ),
      ...counter(
        "troupe_actor_stops_total",
        "Actors that stopped, by reason: sleep, destroy, host-stop, broken.",
        stops.map(({ name, event, count }) => [{ actor_name: name, reason: event }, count]),
      ),
      ...callLines(calls),
      ...commitLines(host.commits),
      ...histogram(
        "troupe_event_loop_lag_seconds",
        "How late the event loop came to what was due, looked at a few times a second.",
        loopLag === undefined ? [] : [[{}, loopLag]],
      ),
      ...gauge("troupe_sockets", "Open sockets.", [[{}, sockets()]]),
      ...counter("troupe_http_actions_total", "Actions called over HTTP.", [[{}, this.#actions]]),
      ...pluginLines(plugins?.view?.() ?? []),
      "",
    ].join("\n");
  }
}

function instances(host: Pick<ActorHost, "places" | "figures">): readonly Sample[] {
  const counts = new Map<string, Map<string, number>>();
  for (const place of host.places()) {
    const name = host.figures.nameOf(place.name);
    const states = counts.get(name) ?? new Map<string, number>();
    counts.set(name, states);
    states.set(place.phase, (states.get(place.phase) ?? 0) + 1);
  }
  return [...counts].flatMap(([actor_name, states]) =>
    [...states].map(([state, count]): Sample => [{ actor_name, state }, count]),
  );
}

function commitLines(commits: CommitTimes | undefined): readonly string[] {
  if (commits === undefined) return [];
  return [
    ...histogram(
      "troupe_commit_duration_seconds",
      "From a write to the end of its sync, for all that were written together.",
      [[{}, commits]],
    ),
    ...counter("troupe_commits_total", "Batches of actors that became durable.", [[{}, commits.batches]]),
  ];
}

function callLines(calls: CallFigures): readonly string[] {
  const named = [...calls.byName];
  return [
    ...counter(
      "troupe_calls_total",
      "Actions that were called and have their answer, by name, door and outcome.",
      named.flatMap(([actor_name, of]) =>
        [...of].map(({ door, outcome, count }): Sample => [{ actor_name, transport: door, outcome }, count]),
      ),
    ),
    ...histogram(
      "troupe_call_duration_seconds",
      "From an action's call to its answer, which waits for the disk.",
      named.map(([actor_name, { durations }]) => [{ actor_name }, durations]),
    ),
    ...histogram("troupe_call_wait_seconds", "From an action's call to the moment when its code began.", [
      [{}, calls.waits],
    ]),
  ];
}

function pluginLines(views: readonly PluginView[]): readonly string[] {
  const of = (value: (view: PluginView) => number): readonly Sample[] =>
    views.map((view) => [{ plugin: view.id }, value(view)]);
  return [
    ...gauge(
      "troupe_plugin_running",
      "1 for a plugin that runs, 0 for one that is started again or is gone.",
      of(({ state }) => (state === "running" ? 1 : 0)),
    ),
    ...counter(
      "troupe_plugin_calls_total",
      "Calls of a plugin.",
      of(({ calls }) => calls),
    ),
    ...counter(
      "troupe_plugin_failures_total",
      "Calls of a plugin that failed.",
      of(({ failures }) => failures),
    ),
    ...counter(
      "troupe_plugin_crashes_total",
      "Ends of a plugin that nobody asked for.",
      of(({ crashes }) => crashes),
    ),
    ...counter(
      "troupe_plugin_restarts_total",
      "Starts behind those.",
      of(({ restarts }) => restarts),
    ),
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): readonly string[] {
  return metric("gauge", { name, help, samples });
}

function counter(name: string, help: string, samples: readonly Sample[]): readonly string[] {
  return metric("counter", { name, help, samples });
}

/** What a histogram is read from: bounds with how many were at most that, and all of them. */
type Distribution = Iterable<readonly [bound: number, count: number]> & {
  readonly sum: number;
  readonly count: number;
};

function histogram(
  name: string,
  help: string,
  samples: readonly (readonly [labels: Labels, of: Distribution])[],
): readonly string[] {
  if (samples.length === 0) return [];
  const lines = samples.flatMap(([labels, of]) => [
    ...[...of].map(([bound, count]) => `${name}_bucket${braced({ ...labels, le: `${bound}` })} ${count}`),
    `${name}_bucket${braced({ ...labels, le: "+Inf" })} ${of.count}`,
    `${name}_sum${braced(labels)} ${of.sum}`,
    `${name}_count${braced(labels)} ${of.count}`,
  ]);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} histogram`, ...lines];
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

function metric(type: string, { name, help, samples }: Family): readonly string[] {
  if (samples.length === 0) return [];
  const lines = samples.map(([labels, value]) => `${name}${braced(labels)} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines.toSorted()];
}

function braced(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
