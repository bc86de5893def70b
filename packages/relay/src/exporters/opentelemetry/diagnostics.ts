/** What an exporter says of itself. */
import type { RuntimeDiagnostic } from "../exporter.ts";

const messages: Readonly<Record<string, string>> = {
  "otel.export_failed": "batches that couldn't be sent",
  "otel.items_lost": "spans, records or points in them",
  "otel.span_unended": "scopes that were told before they ended",
  "otel.instrument_limit": "measurements of instruments past the limit",
};

/** One row for each thing that went wrong. */
export function diagnosticsOf(
  delivery: { readonly lost: number; readonly failures: number },
  more: Readonly<Record<string, number>> = {},
): RuntimeDiagnostic[] {
  const counts = { "otel.export_failed": delivery.failures, "otel.items_lost": delivery.lost, ...more };
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([code, count]) => ({ code, message: messages[code] ?? code, count }));
}
