/** Values written as TOML has them: a table in one line, so that a line can say where its value comes from. */
import { stringify } from "smol-toml";

/** A value as TOML has it, in one line. */
export function tomlText(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(tomlText).join(", ")}]`;
  if (typeof value !== "object" || value === null || value instanceof Date)
    return stringify({ value }).slice("value = ".length).trimEnd();
  const entries = Object.entries(value).map(([key, field]) => `${keyWritten(key)} = ${tomlText(field)}`);
  return entries.length === 0 ? "{}" : `{ ${entries.join(", ")} }`;
}

/** In quotes where it isn't a word. */
function keyWritten(key: string): string {
  return stringify({ [key]: 0 }).slice(0, -" = 0\n".length);
}
