/**
 * Headers on their way through the gateway: as they came, in order and spelling, but for those that are about one
 * connection alone. Lists are Node's: name, value, name, value …
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

const none: ReadonlySet<string> = new Set();

/** What goes on. `without` names more that stay, in lower case. */
export function passedOn(raw: readonly string[], without = none): string[] {
  const named = namedByConnection(raw);
  const kept: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const key = name.toLowerCase();
    if (!hopByHop.has(key) && !without.has(key) && !named.has(key)) kept.push(name, raw[at + 1] ?? "");
  }
  return kept;
}

/** The headers as a record, as middleware sees them: names in lower case, values of one name joined. */
export function asRecord(raw: readonly string[]): Record<string, string> {
  const record: Record<string, string> = {};
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const key = (raw[at] ?? "").toLowerCase();
    const value = raw[at + 1] ?? "";
    record[key] = Object.hasOwn(record, key) ? `${record[key]}, ${value}` : value;
  }
  return record;
}

/** `raw` with the changes that a middleware made between the records `given` and `now`; but for `except`, which are as they came. */
export function withChanges(
  raw: readonly string[],
  given: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
  except = none,
): readonly string[] {
  const changed = Object.keys(now).filter((name) => now[name] !== given[name] && !except.has(name));
  const gone = Object.keys(given).filter((name) => now[name] === undefined && !except.has(name));
  if (changed.length === 0 && gone.length === 0) return raw;
  const replaced = new Set([...changed, ...gone].map((name) => name.toLowerCase()));
  return [...passedOn(raw, replaced), ...changed.flatMap((name) => [name, now[name] ?? ""])];
}

/** Mostly nothing but what isn't passed on anyway. */
function namedByConnection(raw: readonly string[]): ReadonlySet<string> {
  let named: Set<string> | undefined;
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const value = raw[at + 1] ?? "";
    if (value === "keep-alive" || value === "close" || raw[at]?.toLowerCase() !== "connection") continue;
    named ??= new Set();
    for (const part of value.split(",")) named.add(part.trim().toLowerCase());
  }
  return named ?? none;
}
