import { error } from "../new-error.ts";

/** Errors of the key-value store. */
export const kvErrors = {
  invalidKey: (what: string) => error(400, "kv", "invalid_key", `A key must be ${what}`),
  invalidValue: () =>
    error(
      400,
      "kv",
      "invalid_value",
      "A value must be a string of whole characters, a Uint8Array or an ArrayBuffer",
    ),
  invalidOption: (option: string, expected: string) =>
    error(400, "kv", "invalid_option", `${option} must be ${expected}`, { metadata: { option } }),
  notText: () =>
    error(
      400,
      "kv",
      "not_text",
      'What is stored isn\'t text: read it with { type: "binary" } or { keyType: "binary" }',
    ),
  keyTooLong: (bytes: number, limit: number) =>
    error(413, "kv", "key_too_long", `The key has ${bytes} bytes; the limit is ${limit}`, {
      metadata: { bytes, limit },
    }),
  valueTooLarge: (bytes: number, limit: number) =>
    error(413, "kv", "value_too_large", `The value has ${bytes} bytes; the limit is ${limit}`, {
      metadata: { bytes, limit },
    }),
  batchTooLarge: (what: "entries" | "bytes", size: number, limit: number) =>
    error(413, "kv", "batch_too_large", `The batch has ${size} ${what}; the limit is ${limit}`, {
      metadata: { [what]: size, limit },
    }),
  listTooLong: (limit: number) =>
    error(
      413,
      "kv",
      "list_too_long",
      `There are more than ${limit} entries: give a limit, and go on with listRange`,
      {
        metadata: { limit },
      },
    ),
};
