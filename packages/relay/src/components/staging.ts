/**
 * Staging: what a document's components want to register, until all of them are known.
 *
 * `commit` registers all of it and takes the former document's away in one turn, so that no call begins between the two;
 * when one can't be registered, those before it are taken away again and the former stay.
 *
 * Exporters that both documents have alike go over as they are (`owned-exporters.ts`).
 */
import type { MiddlewareKind } from "../middleware/kinds.ts";
import type { Registration, RegistrationRequest } from "../middleware/registration.ts";
import { registrationFunctions } from "../middleware/registration-functions.ts";
import type { Relay } from "../relay.ts";
import type { ComponentContext, ComponentPorts, OwnedExporter } from "./component.ts";
import type { ComponentDiagnostic } from "./config.ts";
import { inTime } from "./in-time.ts";
import { exporterKey, OwnedExporters } from "./owned-exporters.ts";

/** Takes a registration away. */
type Undo = () => void;

/** The registrations of one document. */
export class Staging {
  readonly #relay: Relay;
  readonly #ports: ComponentPorts;
  readonly #generation: number;
  readonly #former: Staging | undefined;
  readonly #exporters = new OwnedExporters();
  readonly #steps: (() => Undo)[] = [];
  readonly #closes: { readonly kind: string; readonly close: () => unknown }[] = [];
  readonly #reports: (() => ComponentDiagnostic[])[] = [];
  #undos: Undo[] = [];
  #closed = false;

  constructor(relay: Relay, ports: ComponentPorts, generation: number, former: Staging | undefined) {
    this.#relay = relay;
    this.#ports = ports;
    this.#generation = generation;
    this.#former = former;
  }

  /** What the component `kind` registers with. `ordinal` tells several of a kind apart. */
  contextFor(kind: string, ordinal: number): ComponentContext {
    // Two documents are registered at once for a moment: the generation tells their names apart.
    const named = (name: string): string => `${kind}.${ordinal}/${name}#${this.#generation}`;
    const staged = registrationFunctions({
      register: (request) => this.#register({ ...request, name: named(request.name) }),
      deregister: (middleware, name, scope) => this.#relay.deregister(middleware, named(name), scope),
    });
    return {
      ...staged,
      relay: this.#relay,
      ports: this.#ports,
      registerExporter: (name, exporter, madeOf) =>
        this.#exporter(kind, named(name), { key: exporterKey(kind, name, madeOf), exporter }),
      onClose: (close) => this.#onClose(kind, close),
      onReport: (diagnostics) => this.#onReport(kind, diagnostics),
    };
  }

  /** Takes effect, in place of the former. Throws what a registration does, and has then no effect. */
  commit(): void {
    const undos: Undo[] = [];
    try {
      for (const step of this.#steps) undos.push(step());
    } catch (error) {
      for (const undo of undos.reverse()) undo();
      throw error;
    }
    this.#undos = undos;
    const former = this.#former;
    if (former !== undefined) this.#exporters.takeOver(former.#exporters);
    former?.withdraw();
  }

  /** Takes all registrations away. */
  withdraw(): void {
    for (const undo of this.#undos.reverse()) undo();
    this.#undos = [];
  }

  /** Lets go of what components hold. Answers what failed. */
  async close(): Promise<readonly unknown[]> {
    this.#closed = true;
    const { timers } = this.#ports;
    const settled = await Promise.allSettled(
      this.#closes.splice(0).map(({ kind, close }) => inTime(timers, close, { kind: "end of", name: kind })),
    );
    return settled.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  }

  diagnostics(): ComponentDiagnostic[] {
    return this.#reports.flatMap((report) => report());
  }

  #register<K extends MiddlewareKind>(request: RegistrationRequest<K>): Registration {
    let real: Registration | undefined;
    this.#steps.push(() => {
      const registration = this.#relay.register(request);
      real = registration;
      return () => void registration.deregister();
    });
    const { kind, name, priority = 0, scope } = request;
    const deregister = (): boolean => real?.deregister() ?? false;
    return {
      ...{ kind, name, priority, scopeUuid: scope?.uuid ?? null, deregister },
      [Symbol.dispose]: () => void deregister(),
    };
  }

  #exporter(
    kind: string,
    name: string,
    made: { readonly key: string | undefined; readonly exporter: OwnedExporter },
  ): void {
    const former = this.#former;
    const kept = former === undefined ? undefined : this.#exporters.wanted(made.key, former.#exporters);
    const exporter = kept ?? made.exporter;
    if (kept === undefined) this.#exporters.own(made.key, exporter);
    const owned = (): boolean => this.#exporters.owns(exporter);
    this.#steps.push(() => {
      if (kept === undefined) exporter.register(this.#relay, name);
      return () => void (owned() && exporter.deregister());
    });
    this.#onClose(kind, () => (owned() ? exporter.shutdown() : undefined));
    this.#onReport(kind, () => exporter.runtimeDiagnostics?.() ?? []);
  }

  #onReport(kind: string, diagnostics: () => readonly Omit<ComponentDiagnostic, "component">[]): void {
    this.#reports.push(() => diagnostics().map((each) => ({ ...each, component: kind })));
  }

  /** A component that was given up may still come to hold something: that is let go of at once. */
  #onClose(kind: string, close: () => unknown): void {
    this.#closes.push({ kind, close });
    if (this.#closed) void this.close();
  }
}
