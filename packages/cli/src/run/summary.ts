/** Summary: what a run came to, counted from its events while they come. */
import type { Relay, RelayEvent } from "@troupe/relay";

/** Tokens and money of one model. */
export interface ModelUse {
  calls: number;
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
  /** In the currency of its price; undefined: no price is known for some of it. */
  cost: number | undefined;
}

/** What a run came to. */
export class RunSummary {
  readonly models = new Map<string, ModelUse>();
  /** What guardrails refused, and calls that failed otherwise. */
  refusals = 0;
  failures = 0;
  /** Tools that models asked for, by name. */
  readonly tools = new Map<string, number>();

  /** Listens to all that is told. */
  listen(relay: Relay): void {
    relay.registerSubscriber("run summary", (event) => this.#take(event));
  }

  /** For people: nothing of it is on standard output, which is the agent's. */
  text(seconds: number): string {
    const calls = [...this.models.values()].reduce((sum, use) => sum + use.calls, 0);
    const lines = [
      `troupe: ${counted(calls, "model call")} in ${seconds.toFixed(1)} s` +
        (this.refusals > 0 ? `, ${this.refusals} refused` : "") +
        (this.failures > 0 ? `, ${this.failures} failed` : ""),
      ...[...this.models].map(([model, use]) => `  ${model}: ${describe(use)}`),
    ];
    if (this.tools.size > 0)
      lines.push(`  tools: ${[...this.tools].map(([name, times]) => `${name} ×${times}`).join(", ")}`);
    return `${lines.join("\n")}\n`;
  }

  #take(event: RelayEvent): void {
    if (event.kind === "mark") {
      if (record(event.data)["rejected"] === true) this.refusals += 1;
      return;
    }
    if (event.scope_category !== "end" || event.category !== "llm") return;
    if (record(event.metadata)["otel.status_code"] === "ERROR") this.failures += 1;
    else this.#answered(record(event.category_profile));
  }

  #answered(profile: Readonly<Record<string, unknown>>): void {
    const response = record(profile["annotated_response"]);
    this.#count(String(response["model"] ?? profile["model_name"] ?? "a model without a name"), response);
  }

  #count(model: string, response: Readonly<Record<string, unknown>>): void {
    const usage = record(response["usage"]);
    const cost = record(usage["cost"])["total"];
    const use = this.models.get(model) ?? emptyUse();
    use.calls += 1;
    use.promptTokens += number(usage["prompt_tokens"]);
    use.completionTokens += number(usage["completion_tokens"]);
    use.cachedTokens += number(usage["cache_read_tokens"]);
    use.cost = typeof cost === "number" && use.cost !== undefined ? use.cost + cost : undefined;
    this.models.set(model, use);
    const calls = response["tool_calls"];
    for (const call of Array.isArray(calls) ? calls : []) {
      const name = String(record(call)["name"]);
      this.tools.set(name, (this.tools.get(name) ?? 0) + 1);
    }
  }
}

function emptyUse(): ModelUse {
  return { calls: 0, promptTokens: 0, completionTokens: 0, cachedTokens: 0, cost: 0 };
}

function describe({ calls, promptTokens, completionTokens, cachedTokens, cost }: ModelUse): string {
  const cached = cachedTokens === 0 ? "" : ` (${cachedTokens} cached)`;
  const price = cost === undefined || cost === 0 ? "" : `, ${cost.toFixed(4)} USD`;
  return `${counted(calls, "call")}, ${promptTokens} tokens in${cached}, ${completionTokens} out${price}`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function number(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
