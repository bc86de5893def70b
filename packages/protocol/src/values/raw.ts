/**
 * The way through a state proxy: a proxy of ours answers `proxy[RAW]` with its target, so that whoever walks a value
 * reads plain data at plain speed and never stores a proxy inside a proxy.
 */
export const RAW: unique symbol = Symbol("troupe.raw");

/** What a state proxy looks like to a walker. */
export interface Wrapped {
  readonly [RAW]?: object;
}

/** The target of a state proxy; any other object itself. */
export function unwrap(value: object): object {
  return (value as Wrapped)[RAW] ?? value;
}
