/** Figures of a gateway in Prometheus' text format. Labels never name actors, keys or users. */
export class Metrics {
  readonly #awake: () => number;
  readonly #sockets: () => number;
  #actions = 0;

  constructor(gauges: { awake: () => number; sockets: () => number }) {
    this.#awake = gauges.awake;
    this.#sockets = gauges.sockets;
  }

  /** An HTTP action came in. */
  action(): void {
    this.#actions += 1;
  }

  text(): string {
    return [
      "# HELP troupe_actors_awake Actors that are awake, waking or going to sleep.",
      "# TYPE troupe_actors_awake gauge",
      `troupe_actors_awake ${this.#awake()}`,
      "# HELP troupe_sockets Open sockets.",
      "# TYPE troupe_sockets gauge",
      `troupe_sockets ${this.#sockets()}`,
      "# HELP troupe_http_actions_total Actions called over HTTP.",
      "# TYPE troupe_http_actions_total counter",
      `troupe_http_actions_total ${this.#actions}`,
      "",
    ].join("\n");
  }
}
