/** Which actor was meant: by its id, or by its name and key. */
import { encodeKey } from "@troupe/protocol";
import { actorsErrors } from "./errors.ts";
import type { InspectorApi } from "./inspector-api.ts";

/** The id. `NAME/KEY` has the parts of the key between slashes, as `troupe actors list` shows them. Rejects with `actor.not_found`. */
export async function idOf(api: InspectorApi, actor: string, namespace: string | undefined): Promise<string> {
  if (!actor.includes("/")) return actor;
  const [name = "", ...parts] = actor.split("/");
  const key = parts.length === 1 && parts[0] === "" ? [] : parts;
  const query = new URLSearchParams({ name, ...(namespace !== undefined && { namespace }) });
  const { actors } = await api.list(`${query}&key=${encodeKey(key)}`);
  const [found] = actors;
  if (found === undefined) throw actorsErrors.notFound(name, key);
  return found.id;
}
