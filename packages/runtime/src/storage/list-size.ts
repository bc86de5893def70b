/** The size of a list that is being read: a list is in memory as a whole, so it has a limit. */
import { limits } from "@troupe/protocol";
import { storageErrors } from "../errors.ts";

/** Counts the bytes of one list. */
export class ListSize {
  #bytes = 0;

  /** Throws `storage.list_too_large`. */
  add(value: Uint8Array): void {
    this.#bytes += value.byteLength;
    if (this.#bytes > limits.kvListBytes) throw storageErrors.listTooLarge(limits.kvListBytes);
  }
}
