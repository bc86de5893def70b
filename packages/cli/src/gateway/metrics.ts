/**
 * Metrics: figures of a gateway in Prometheus' text format. Those of calls, tokens and costs are the relay's exporter's; here are the
 * listener's own. Labels name routes and statuses, never what a request brings.
 */

/** Where requests go, for labels. */
export type RouteName = "model" | "pass_through" | "hook" | "own";

/** Seconds. */
const boundaries = [0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.05, 0.25, 1];

/** Counts. */
export class GatewayMetrics {
  readonly #answers = new Map<string, number>();
  readonly #buckets: number[] = boundaries.map(() => 0);
  #inFlight = 0;
  readonly #held = { count: 0, seconds: 0 };

  /** A request came in. */
  began(): void {
    this.#inFlight += 1;
  }

  /** It was answered, or its client is gone. */
  ended(route: RouteName, status: number): void {
    this.#inFlight -= 1;
    const labels = `route="${route}",status="${status}"`;
    this.#answers.set(labels, (this.#answers.get(labels) ?? 0) + 1);
  }

  /** How long a request was held up here. */
  held(ms: number): void {
    const seconds = ms / 1_000;
    this.#held.count += 1;
    this.#held.seconds += seconds;
    for (const [n, boundary] of boundaries.entries())
      if (seconds <= boundary) this.#buckets[n] = (this.#buckets[n] ?? 0) + 1;
  }

  text(): string {
    const overhead = "troupe_gateway_overhead_seconds";
    const { count, seconds } = this.#held;
    return [
      "# HELP troupe_gateway_requests_total Requests that were answered.",
      "# TYPE troupe_gateway_requests_total counter",
      ...[...this.#answers].map(([labels, n]) => `troupe_gateway_requests_total{${labels}} ${n}`).toSorted(),
      "# HELP troupe_gateway_requests_in_flight Requests that are served.",
      "# TYPE troupe_gateway_requests_in_flight gauge",
      `troupe_gateway_requests_in_flight ${this.#inFlight}`,
      `# HELP ${overhead} How long requests were held up here, their provider's time left out.`,
      `# TYPE ${overhead} histogram`,
      ...boundaries.map((boundary, n) => `${overhead}_bucket{le="${boundary}"} ${this.#buckets[n] ?? 0}`),
      `${overhead}_bucket{le="+Inf"} ${count}`,
      `${overhead}_sum ${seconds}`,
      `${overhead}_count ${count}`,
      "",
    ].join("\n");
  }
}
