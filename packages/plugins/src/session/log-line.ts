/** A plugin's line in the host's log. */
import type { LogFields, Logger } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { LogLevel } from "@troupe/protocol/actor/v1";
import type { Log } from "@troupe/protocol/plugin/v1";

const methods: ReadonlyMap<number | undefined, "debug" | "warn" | "error"> = new Map([
  [LogLevel.DEBUG, "debug"],
  [LogLevel.WARN, "warn"],
  [LogLevel.ERROR, "error"],
]);

/** What the host's own line says of itself, and whose it is: no plugin says it. */
const ours: ReadonlySet<string> = new Set(["ts", "level", "msg", "plugin"]);

/** Writes it, the plugin's fields beside its words. */
export function writeLine(log: Logger, { line, fields }: Log): void {
  const method = methods.get(line?.level) ?? "info";
  log[method]((line?.message ?? "").slice(0, limits.errorMessageLength), fieldsOf(fields));
}

/** What isn't a JSON object, or too long, is told as text. A name that is the host's gets an underscore. */
function fieldsOf(text: string | undefined): LogFields | undefined {
  if (text === undefined) return undefined;
  const given = parsed(text);
  if (given === undefined) return { fields: text.slice(0, limits.errorMessageLength) };
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [ours.has(name) ? `${name}_` : name, value]),
  );
}

function parsed(text: string): object | undefined {
  if (text.length > limits.errorMessageLength) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
