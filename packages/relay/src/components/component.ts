/** What a component is: it checks its configuration, and registers what it does. */
import type { Timers } from "@troupe/base";
import type { JsonObject } from "../codecs/json.ts";
import type { RegistrationFunctions } from "../middleware/registration-functions.ts";
import type { Relay } from "../relay.ts";
import type { ComponentDiagnostic } from "./config.ts";
import type { Findings } from "./findings.ts";

/** What components take from the platform. */
export interface ComponentPorts {
  /** In hexadecimal. */
  readonly sha256: (text: string) => string;
  /** The file's text. Throws when there is none. */
  readonly readText: (path: string) => string;
  readonly now: () => number;
  readonly random: () => number;
  readonly timers: Timers;
}

/** An exporter that a component made. */
export interface OwnedExporter {
  register(relay: Relay, name: string): void;
  deregister(): boolean;
  /** Sends what was emitted before, and lets go of what is open. */
  shutdown(): Promise<void>;
  /** What went wrong so far: part of the document's report. */
  runtimeDiagnostics?(): readonly Omit<ComponentDiagnostic, "component">[];
}

/** Where a component registers. Nothing of it takes effect before the whole document does. */
export interface ComponentContext extends RegistrationFunctions {
  readonly relay: Relay;
  readonly ports: ComponentPorts;
  /**
   * Registers an exporter, which is shut down when the component ends. Where the document before has one of that name that
   * says it was made of the same, that one goes on instead, with what it knows of scopes that are open.
   */
  registerExporter(name: string, exporter: OwnedExporter, madeOf?: unknown): void;
  /** Runs when the component has ended, or didn't begin after all. */
  onClose(close: () => unknown): void;
  /** Asked for when somebody reads the report. */
  onReport(diagnostics: () => readonly Omit<ComponentDiagnostic, "component">[]): void;
}

/** A kind of component. */
export interface Component {
  /** True where a document may have several of the kind. Default: false. */
  readonly many?: boolean;
  /** Tells what is wrong with a configuration. Default: nothing is. */
  validate?(config: JsonObject, findings: Findings, ports: ComponentPorts): void;
  /** Throwing keeps the whole document from taking effect, and so does taking longer than `limits.relayComponentMs`. */
  register(config: JsonObject, context: ComponentContext): void | Promise<void>;
}
