/** Whole: a port as whoever stands before another implementation of it must have it. */

/**
 * All members of a port, the optional ones as well: a wrapper that implements this passes on whatever joins the port, or
 * doesn't compile. Leaving an optional one out would switch off what it stands for, and nobody would be told.
 */
export type Whole<Port> = { [Key in keyof Required<Port>]: Port[Key] };
