/** Codes with which a link between an engine and a host is closed. RFC 6455, 7.4.1. */

/** Whoever closes goes, and another link may follow. */
export const GONE = 1001;

/** Closed by a host that goes for good, or by what can't read the other side: the next link would end as this one. */
export const FINAL: ReadonlySet<number> = new Set([1000, 1002, 1003, 1007, 1008, 1009]);
