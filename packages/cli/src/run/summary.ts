/**
 * Summary: what a run came to, counted from its events while they come. Its text goes to a screen, or to the log of whoever runs agents
 * for others, so secrets are taken out of all that is kept of an event for it.
 */
import {
  type MarkEvent,
  type Relay,
  type RelayEvent,
  readCall,
  readFailure,
  readRefusal,
  readStopped,
  readToolCall,
  type ToldCall,
  textWithoutSecrets,
} from "@troupe/relay";
import { QUESTION, readDecision, type ToldDecision } from "../gateway/tool-decision.ts";
import { printable } from "../trace/printable.ts";
import type { FilesWritten } from "./files-written.ts";

/** More of them are counted only. */
const MOST_FILES = 20;
const MOST_REASONS = 3;
/** Characters of a line. */
const LINE = 100;
/** Characters of a reason. */
const REASON = 200;

/** Tokens and money of one model. */
export interface ModelUse {
  calls: number;
  promptTokens: number;
  completionTokens: number;
  cachedTokens: number;
  /** By currency. */
  readonly costs: Map<string, number>;
  /** No price is known for some of it. */
  unpriced: boolean;
}

/** What a run came to. */
export class RunSummary {
  readonly models = new Map<string, ModelUse>();
  /** Calls of models: those that were answered, failed, or were refused by a guardrail. */
  #calls = 0;
  #refused = 0;
  #failures = 0;
  /** Calls of tools that agents were told not to make. */
  #toolsRefused = 0;
  /** Tools that models asked for, by name. */
  readonly tools = new Map<string, number>();
  /** Somebody has asked whether a tool may be called. */
  asksOfTools = false;
  /** Why calls failed or were refused, with how often; of the first few reasons of each. */
  readonly #reasons = { failed: new Map<string, number>(), refused: new Map<string, number>() };

  /** Why middleware failed in the middle of a call, which is still to end, by what the call is in. */
  readonly #within = new Map<string | null, string>();
  /** Scopes of questions about tools: the decision in one tells of all that stood in front of the tool. */
  readonly #questions = new Set<string | null>();

  readonly #files: FilesWritten;

  constructor(files: FilesWritten) {
    this.#files = files;
  }

  /** Listens to all that is told. */
  listen(relay: Relay): void {
    relay.registerSubscriber("run summary", (event) => this.#take(event));
  }

  /** For people: nothing of it is on standard output, which is the agent's. */
  text(seconds: number): string {
    const lines = [
      `troupe: ${counted(this.#calls, "model call")} in ${seconds.toFixed(1)} s` +
        (this.#refused > 0 ? `, ${this.#refused} refused` : "") +
        (this.#failures > 0 ? `, ${this.#failures} failed` : "") +
        (this.#toolsRefused > 0 ? `; ${counted(this.#toolsRefused, "tool call")} refused` : ""),
      ...[...this.models].map(([model, use]) => `  ${model}: ${describe(use)}`),
      ...this.#unpriced(),
    ];
    for (const [what, reasons] of Object.entries(this.#reasons))
      for (const [reason, times] of reasons)
        lines.push(`  ${what}: ${shortText(reason)}${times === 1 ? "" : ` ×${times}`}`);
    lines.push(
      ...listed(
        "tools",
        Array.from(this.tools, ([name, times]) => `${name} ×${times}`),
      ),
    );
    lines.push(...listed("files written", shortened(this.#files.changed())));
    // Names are a model's, and those of models their provider's.
    return `${lines.map(printable).join("\n")}\n`;
  }

  /** Why a sum is missing, and what to do about it. */
  #unpriced(): string[] {
    const used = [...this.models].filter(([, use]) => use.promptTokens + use.completionTokens > 0);
    const without = used.filter(([, { unpriced }]) => unpriced).map(([model]) => model);
    if (without.length === 0) return [];
    const of = without.length === used.length ? "" : ` of ${without.join(", ")}`;
    return [`  price${of}: not known; a component "pricing" in troupe.toml says what tokens cost`];
  }

  #take(event: RelayEvent): void {
    if (event.kind === "mark") return this.#marked(event);
    const isEnd = event.scope_category === "end";
    if (event.name === QUESTION) {
      if (isEnd) this.#questions.delete(event.uuid);
      else this.#questions.add(event.uuid);
    }
    if (!isEnd || event.category !== "llm") return;
    this.#calls += 1;
    const failure = readFailure(event.metadata);
    const call = readCall(event.category_profile);
    if (failure !== undefined) this.#failures += 1;
    const reason = this.#whole(event.parent_uuid, failure);
    if (reason !== undefined) this.#because("failed", reason);
    // What ended early has cost something too.
    if (failure === undefined || call.promptTokens !== undefined) this.#answered(call);
  }

  #marked(mark: MarkEvent): void {
    const decision = readDecision(mark);
    if (decision !== undefined) this.#decided(decision, mark.parent_uuid);
    else this.#stopped(mark);
    const asked = readToolCall(mark);
    if (asked === undefined) return;
    this.#files.asked(asked.args);
    const tool = textWithoutSecrets(asked.tool);
    this.tools.set(tool, (this.tools.get(tool) ?? 0) + 1);
  }

  #decided({ refusal }: ToldDecision, parent: string | null): void {
    this.asksOfTools = true;
    const reason = this.#whole(parent, refusal);
    if (reason === undefined) return;
    this.#toolsRefused += 1;
    this.#because("refused", reason);
  }

  /** A guardrail was against a call, or failed, and it wasn't made; or middleware failed in the middle of one. */
  #stopped(mark: MarkEvent): void {
    const stopped = readStopped(mark);
    const refusal = readRefusal(mark.data);
    const failure = readFailure(mark.metadata);
    if (this.#questions.has(mark.parent_uuid) || (stopped === undefined && refusal === undefined)) {
      if (failure !== undefined) this.#within.set(mark.parent_uuid, failure);
      return;
    }
    if (mark.category === "tool") this.#toolsRefused += 1;
    else {
      this.#calls += 1;
      if (refusal === undefined) this.#failures += 1;
      else this.#refused += 1;
    }
    if (stopped !== undefined) this.#because("failed", stopped);
    if (refusal !== undefined) this.#because("refused", refusal);
  }

  /** A reason, with what a mark in the same scope says behind it. */
  #whole(parent: string | null, reason: string | undefined): string | undefined {
    const within = this.#within.get(parent);
    this.#within.delete(parent);
    return reason !== undefined && within?.startsWith(`${reason}: `) ? within : reason;
  }

  #because(what: "failed" | "refused", told: string): void {
    const reasons = this.#reasons[what];
    const reason = textWithoutSecrets(told);
    const times = reasons.get(reason) ?? 0;
    if (times > 0 || reasons.size < MOST_REASONS) reasons.set(reason, times + 1);
  }

  #answered({ model: told = "a model without a name", cost, ...tokens }: ToldCall): void {
    const model = textWithoutSecrets(told);
    const use = this.models.get(model) ?? emptyUse();
    use.calls += 1;
    use.promptTokens += tokens.promptTokens ?? 0;
    use.completionTokens += tokens.completionTokens ?? 0;
    use.cachedTokens += tokens.cachedTokens ?? 0;
    if (cost === undefined) use.unpriced = true;
    else use.costs.set(cost.currency, (use.costs.get(cost.currency) ?? 0) + cost.total);
    this.models.set(model, use);
  }
}

/** A list in lines that a terminal has room for; a name that is longer has a line of its own. No line where there is nothing. */
function listed(what: string, names: readonly string[]): string[] {
  const lines: string[] = [];
  let line = `  ${what}:`;
  for (const [n, name] of names.entries()) {
    const next = n === names.length - 1 ? ` ${name}` : ` ${name},`;
    if (n > 0 && line.length + next.length > LINE) {
      lines.push(line);
      line = "   ";
    }
    line += next;
  }
  return names.length === 0 ? [] : [...lines, line];
}

function shortText(text: string): string {
  return text.length > REASON ? `${text.slice(0, REASON - 1)}…` : text;
}

function shortened(files: readonly string[]): readonly string[] {
  const more = files.length - MOST_FILES;
  return more <= 0 ? files : [...files.slice(0, MOST_FILES), `and ${more} more`];
}

function emptyUse(): ModelUse {
  return {
    calls: 0,
    promptTokens: 0,
    completionTokens: 0,
    cachedTokens: 0,
    costs: new Map(),
    unpriced: false,
  };
}

function describe({ calls, promptTokens, completionTokens, cachedTokens, ...money }: ModelUse): string {
  const cached = cachedTokens === 0 ? "" : ` (${cachedTokens} cached)`;
  const tokens = `${promptTokens} tokens in${cached}, ${completionTokens} out`;
  return [`${counted(calls, "call")}, ${tokens}`, ...pricesOf(money)].join(", ");
}

/** None where some of it has no price: half a sum is none. */
function pricesOf({ costs, unpriced }: Pick<ModelUse, "costs" | "unpriced">): string[] {
  if (unpriced) return [];
  const some = [...costs].filter(([, total]) => total > 0);
  return some.map(([currency, total]) => `${total.toFixed(4)} ${currency}`);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
