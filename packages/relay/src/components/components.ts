/**
 * Components: which of them run, by one document.
 *
 * A document is checked, then each component registers into a staging, then the staging takes effect in place of the one
 * before, in one turn: there is no moment without guardrails, and none with both. Whatever fails before that leaves the
 * document before in place. What the former one holds (files, connections) is let go of behind the change.
 *
 * Documents take effect one after the other, in the order in which they were given. Whatever of a component hangs is given
 * up in time (`limits.relayComponentMs`), so that the next document has its turn.
 */
import { isList, isObject, type JsonObject } from "../codecs/json.ts";
import { relayErrors } from "../errors.ts";
import { plainData } from "../events/plain-data.ts";
import type { Relay } from "../relay.ts";
import type { Component, ComponentPorts } from "./component.ts";
import type { CheckedComponent, ComponentDiagnostic, ConfigReport, PluginConfig } from "./config.ts";
import { type FieldRules, Findings, rules } from "./findings.ts";
import { inTime } from "./in-time.ts";
import { Staging } from "./staging.ts";

/** A document that has taken effect. */
export interface Activation extends AsyncDisposable {
  /** What was found in it, and what went wrong since. */
  readonly report: ConfigReport;
  /** False when it was closed, or another took its place. */
  readonly isActive: boolean;
  /** Ends its components. Does nothing when it isn't active. */
  close(): Promise<void>;
}

const behaviors = rules.oneOf("ignore", "warn", "error");
const documentRules: FieldRules = {
  version: (value) => (value === 1 ? undefined : "1"),
  components: rules.objects,
  policy: { unknown_component: behaviors, unknown_field: behaviors, unsupported_value: behaviors },
};
const entryRules: FieldRules = { kind: rules.text, enabled: rules.flag, config: rules.object };

/** The components of one relay. */
export class Components {
  readonly #relay: Relay;
  readonly #ports: ComponentPorts;
  readonly #kinds = new Map<string, Component>();
  #generation = 0;
  #active: Staging | undefined = undefined;
  #changing: Promise<unknown> = Promise.resolve();

  constructor(relay: Relay, ports: ComponentPorts) {
    this.#relay = relay;
    this.#ports = ports;
  }

  /** Adds a kind. Throws `relay.name_taken`. */
  register(kind: string, component: Component): void {
    if (this.#kinds.has(kind)) throw relayErrors.nameTaken("kind of component", kind);
    this.#kinds.set(kind, component);
  }

  /** Takes a kind away; components of it that run go on. False when there is none. */
  deregister(kind: string): boolean {
    return this.#kinds.delete(kind);
  }

  /** The kinds, in the order in which they were added. */
  listKinds(): string[] {
    return [...this.#kinds.keys()];
  }

  /** What is to be said of a document. Nothing takes effect. */
  validate(document: PluginConfig): ConfigReport {
    return { diagnostics: this.#check(plainData(document)).findings.diagnostics, runtime_diagnostics: [] };
  }

  /**
   * Lets a document take effect in place of the one before. Throws `relay.config_invalid` with the report, or
   * `relay.component_failed`; then the one before goes on.
   */
  initialize(document: PluginConfig): Promise<Activation> {
    const copy: unknown = plainData(document);
    return this.#inTurn(() => this.#replace(copy));
  }

  async #replace(document: unknown): Promise<Activation> {
    const { findings, components } = this.#check(document);
    if (findings.failed) throw relayErrors.configInvalid(findings.diagnostics);
    this.#generation += 1;
    const former = this.#active;
    const staging = new Staging(this.#relay, this.#ports, this.#generation, former);
    try {
      for (const [n, { kind, config }] of components.entries()) await this.#stage(staging, kind, config, n);
      staging.commit();
    } catch (error) {
      await staging.close();
      throw error;
    }
    this.#active = staging;
    const failures = (await former?.close()) ?? [];
    return this.#activation(staging, findings, failures.length);
  }

  async #stage(staging: Staging, kind: string, config: JsonObject, ordinal: number): Promise<void> {
    try {
      const register = () => this.#kinds.get(kind)?.register(config, staging.contextFor(kind, ordinal));
      await inTime(this.#ports.timers, register, { kind: "component", name: kind });
    } catch (cause) {
      throw relayErrors.componentFailed(kind, cause);
    }
  }

  #activation(staging: Staging, findings: Findings, unclosed: number): Activation {
    const isActive = (): boolean => this.#active === staging;
    const close = (): Promise<void> => this.#inTurn(() => this.#close(staging));
    const former: ComponentDiagnostic[] =
      unclosed === 0
        ? []
        : [
            {
              code: "plugin.close_failed",
              component: "plugin",
              message: "former components' ends",
              count: unclosed,
            },
          ];
    return {
      get report() {
        const runtime = [...former, ...staging.diagnostics()];
        return { diagnostics: findings.diagnostics, runtime_diagnostics: runtime };
      },
      get isActive() {
        return isActive();
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  }

  async #close(staging: Staging): Promise<void> {
    if (this.#active !== staging) return;
    this.#active = undefined;
    staging.withdraw();
    const [failure] = await staging.close();
    if (failure !== undefined) throw failure;
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(change);
    this.#changing = changed.catch(() => {});
    return changed;
  }

  #check(document: unknown): {
    readonly findings: Findings;
    readonly components: readonly CheckedComponent[];
  } {
    const { policy, components = [] } = Object(document);
    const findings = new Findings(isObject(policy) ? policy : {});
    if (isObject(document)) findings.check(document, documentRules);
    else findings.error("invalid", "a configuration is an object");
    const checked = (isList(components) ? components : []).filter(isObject).flatMap((entry, n) => {
      findings.check(entry, entryRules, `components[${n}].`);
      return this.#checkEntry(entry, findings);
    });
    const seen = new Set<string>();
    for (const { kind } of checked) {
      if (seen.has(kind) && this.#kinds.get(kind)?.many !== true)
        findings.error("duplicate_component", `"${kind}" may be there only once`, "components");
      seen.add(kind);
    }
    return { findings, components: checked };
  }

  #checkEntry(entry: JsonObject, findings: Findings): readonly CheckedComponent[] {
    const { kind, enabled = true, config = {} } = entry;
    if (typeof kind !== "string") {
      findings.error("kind_missing", "a component has a kind", "components");
      return [];
    }
    const component = this.#kinds.get(kind);
    if (component === undefined) {
      findings.found("unknown_component", `there is no kind "${kind}", but ${this.listKinds().join(", ")}`);
      return [];
    }
    if (!isObject(config)) return [];
    const own = findings.of(kind, config.policy);
    component.validate?.(config, own, this.#ports);
    findings.diagnostics.push(...own.diagnostics);
    return enabled === true ? [{ kind, config }] : [];
  }
}
