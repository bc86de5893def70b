/** Which actor was meant: by its id, or by its name and key. */
import { nearest } from "@troupe/base";
import { encodeKey } from "@troupe/protocol";
import { actorsErrors } from "./errors.ts";
import type { InspectorApi } from "./inspector-api.ts";

/** The id. `NAME/KEY` has the parts of the key between slashes, as `troupe actors list` shows them. Rejects with `actor.not_found`, `actor.not_registered`. */
export async function idOf(api: InspectorApi, actor: string, namespace: string | undefined): Promise<string> {
  if (!actor.includes("/")) return actor;
  const [name = "", ...parts] = actor.split("/");
  const key = parts.length === 1 && parts[0] === "" ? [] : parts;
  const query = new URLSearchParams({ name, ...(namespace !== undefined && { namespace }) });
  const { actors } = await api.list(`${query}&key=${encodeKey(key)}`);
  const [found] = actors;
  if (found !== undefined) return found.id;
  const { names = [name] } = await api.list(`${query}&limit=1`);
  throw names.includes(name)
    ? actorsErrors.notFound(name, key)
    : actorsErrors.unknownName(name, nearest(name, names));
}
