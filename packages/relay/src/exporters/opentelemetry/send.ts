/** Hands a batch to one of OpenTelemetry's exporters, which answers by callback. */
import { TroupeError } from "@troupe/base";
import { relayErrors } from "../../errors.ts";

interface Result {
  readonly code: number;
  readonly error?: Error;
}

interface Batched<T> {
  export(items: T[], done: (result: Result) => void): void;
}

/** Settles when the collector has taken the batch. Throws what the exporter says. */
export async function send<T>(exporter: Batched<T>, items: T[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<Result>();
  exporter.export(items, resolve);
  const { code, error } = await promise;
  if (code !== 0) throw TroupeError.is(error) ? error : relayErrors.collectorRefused(error);
}
