/**
 * The CBOR tags that values use. Standard ones where there is one; the rest are ours, from the range that IANA gives
 * out first come, first served (32768 and up), and never change their meaning.
 */
export const tags = {
  /** Seconds since 1970, integer or float; NaN is the invalid date. RFC 8949. */
  epochTime: 1,
  /** RFC 8949. All bigints, and nothing but bigints. */
  bignum: 2,
  negativeBignum: 3,
  /** A byte string as Uint8Array. Read; written without the tag. RFC 8746 (as 68 to 86, see `views.ts`). */
  uint8: 64,
  set: 258,
  /** A CBOR map that is a Map; without the tag it is an object. */
  map: 259,
  /** [source, flags]. */
  regexp: 21_066,

  /** Ours: an Error, as a map { name, message, group?, code?, metadata?, retryable? }. */
  error: 54_600,
  /** Ours: a byte string as ArrayBuffer. */
  arrayBuffer: 54_601,
  // 54_602 is DataView: `views.ts`.
  /** Ours: a string with lone surrogates, which UTF-8 can't say, as UTF-16LE in a byte string. */
  utf16: 54_603,
  /** Ours: a Date too far away for seconds to be exact, as milliseconds. */
  epochMs: 54_604,
} as const;
