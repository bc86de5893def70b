import { limits } from "@troupe/protocol";
import { storageErrors } from "../errors.ts";
import type { RowChange } from "../ports/storage.ts";

/** Throws `storage.batch_too_large` when one actor's turns wrote more than one batch may hold. */
export function checkBatchSize(rows: readonly RowChange[]): void {
  let bytes = 0;
  for (const { value } of rows) bytes += value?.byteLength ?? 0;
  if (bytes > limits.batchBytes) throw storageErrors.batchTooLarge(bytes, limits.batchBytes);
}
