/**
 * OwnedExporters: the exporters that a document has to end.
 *
 * An exporter knows of scopes that are open: when they began, which trace they are in. So one that the next document has
 * just the same goes over to it when that takes effect, and until then is the former's, which goes on if it doesn't.
 */

import type { OwnedExporter } from "./component.ts";
import { wholeJson } from "./response-cache/whole-json.ts";

/** What two exporters have alike that may stand for each other; undefined for what is never kept. */
export function exporterKey(kind: string, name: string, madeOf: unknown): string | undefined {
  return madeOf === undefined ? undefined : wholeJson([kind, name, madeOf]);
}

/** The exporters of one document. */
export class OwnedExporters {
  readonly #keys = new Map<OwnedExporter, string | undefined>();
  /** Still the former document's. */
  readonly #wanted = new Map<OwnedExporter, string | undefined>();

  /** An exporter that was made for this document. */
  own(key: string | undefined, exporter: OwnedExporter): void {
    this.#keys.set(exporter, key);
  }

  /** True for one that ends with this document. */
  owns(exporter: OwnedExporter): boolean {
    return this.#keys.has(exporter);
  }

  /** The former's with that key, each once; it becomes this document's with `takeOver`. */
  wanted(key: string | undefined, former: OwnedExporters): OwnedExporter | undefined {
    if (key === undefined) return undefined;
    for (const [exporter, known] of former.#keys) {
      if (known !== key || this.#wanted.has(exporter)) continue;
      this.#wanted.set(exporter, key);
      return exporter;
    }
    return undefined;
  }

  /** What was wanted is this document's from now on. */
  takeOver(former: OwnedExporters): void {
    for (const [exporter, key] of this.#wanted) {
      former.#keys.delete(exporter);
      this.#keys.set(exporter, key);
    }
    this.#wanted.clear();
  }
}
