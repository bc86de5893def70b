/**
 * Headers on their way through the gateway: as they came, in order and spelling, but for those that are about one
 * connection alone.
 */

/** Of one connection; never passed on. `Connection` may name more. */
const hopByHop: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** Name, value, name, value …, as Node has them. `without` names more that stay, in lower case. */
export function passedOn(raw: readonly string[], without: readonly string[] = []): string[] {
  const pairs = pairsOf(raw);
  const named = pairs
    .filter(([name]) => name.toLowerCase() === "connection")
    .flatMap(([, value]) => value.split(",").map((part) => part.trim().toLowerCase()));
  const stay = new Set([...hopByHop, ...named, ...without]);
  return pairs.filter(([name]) => !stay.has(name.toLowerCase())).flat();
}

/** The headers as a record, as middleware sees them: names in lower case, values of one name joined. */
export function asRecord(raw: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (const [name, value] of pairsOf(raw)) {
    const key = name.toLowerCase();
    record[key] = Object.hasOwn(record, key) ? `${record[key]}, ${value}` : value;
  }
  return record;
}

/** `raw` with the changes that a middleware made between the records `given` and `now`. */
export function withChanges(
  raw: readonly string[],
  given: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): string[] {
  const changed = Object.keys(now).filter((name) => now[name] !== given[name]);
  const gone = Object.keys(given).filter((name) => now[name] === undefined);
  const kept = passedOn(
    raw,
    [...changed, ...gone].map((name) => name.toLowerCase()),
  );
  return [...kept, ...changed.flatMap((name) => [name, now[name] ?? ""])];
}

function pairsOf(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) pairs.push([raw[at] ?? "", raw[at + 1] ?? ""]);
  return pairs;
}
