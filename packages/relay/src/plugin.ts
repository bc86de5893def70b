/** Components of a relay, on Node: one document says which of them run. */
import { adaptiveComponent } from "./components/adaptive-component.ts";
import { Components } from "./components/components.ts";
import { LatencySensitivities } from "./components/latency-sensitivities.ts";
import { piiRedactionComponent } from "./components/pii-redaction-component.ts";
import { pricingComponent } from "./components/pricing-component.ts";
import { observabilityComponent } from "./exporters/observability-component.ts";
import { componentPorts } from "./platform-components.ts";
import type { Relay } from "./relay.ts";

export type { Component, ComponentContext, ComponentPorts } from "./components/component.ts";
export type { Activation } from "./components/components.ts";
export { Components } from "./components/components.ts";
export type {
  ComponentDiagnostic,
  ConfigDiagnostic,
  ConfigPolicy,
  ConfigReport,
  PluginConfig,
  UnsupportedBehavior,
} from "./components/config.ts";
export { ComponentSpec, defaultConfig } from "./components/config.ts";
export type { FieldRule, FieldRules, Findings } from "./components/findings.ts";

/** The components of a relay, with the kinds in the box. */
export interface RelayComponents extends Components {
  /** How much the work of the current scope, and of what is below it, minds waiting: told to inference servers. */
  setLatencySensitivity(value: number): void;
}

/**
 * The components of `relay`: "pricing", "pii_redaction", "adaptive" and "observability", and whatever `register` adds.
 *
 * ```ts
 * const components = createComponents(relay);
 * await using active = await components.initialize({ version: 1, components: [] });
 * ```
 */
export function createComponents(relay: Relay): RelayComponents {
  const sensitivities = new LatencySensitivities();
  const components = new Components(relay, componentPorts);
  components.register("pricing", pricingComponent);
  components.register("pii_redaction", piiRedactionComponent);
  components.register("adaptive", adaptiveComponent(sensitivities));
  components.register("observability", observabilityComponent);
  return Object.assign(components, {
    setLatencySensitivity: (value: number): void => sensitivities.set(relay.getHandle(), value),
  });
}
