/** The code of a page of the documentation, as it stands there. */
import { readFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import type { AnyActorDefinition } from "@troupe/runtime";

const docs = new URL("../../../../docs/", import.meta.url);

/**
 * Runs the block of `page` that declares `name` as an actor, and returns the actor. What the block imports is given
 * as `from`.
 */
export function actorOfPage(
  page: string,
  name: string,
  from: Readonly<Record<string, unknown>>,
): AnyActorDefinition {
  const blocks = readFileSync(new URL(page, docs), "utf8").matchAll(/^```ts\n(.*?)^```$/gms);
  const found = [...blocks].find(([, code]) => code?.includes(`const ${name} = actor(`))?.[1];
  if (found === undefined) throw new Error(`${page} has no code of ${name}`);
  const code = stripTypeScriptTypes(found.replaceAll(/^import .*$/gm, ""));
  return new Function(...Object.keys(from), `${code}\nreturn ${name};`)(...Object.values(from));
}
