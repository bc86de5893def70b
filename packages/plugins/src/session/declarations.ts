/**
 * What a plugin says of itself in Ready, checked. The plugin gets nothing that doesn't stand here.
 */

import { limits } from "@troupe/protocol";
import { decodePayload, type PayloadEncoding } from "@troupe/protocol/actor/v1";
import {
  type ActorDeclaration,
  encodingOf,
  type MiddlewareDeclaration,
  PLUGIN_VERSIONS,
  type Ready,
} from "@troupe/protocol/plugin/v1";
import type { CarriedDeclaration } from "@troupe/runtime";
import { pluginErrors } from "../errors.ts";

/** A plugin that is ready, as it declared itself. */
export interface PluginDeclarations {
  readonly name: string;
  readonly pluginVersion: string;
  /** The version of plugin/v1's session that both sides speak. */
  readonly version: number;
  readonly encoding: PayloadEncoding;
  readonly actors: ReadonlyMap<string, CarriedDeclaration>;
  readonly middleware: readonly MiddlewareDeclaration[];
}

/** Checks Ready. Throws `plugin.version_unsupported`, `plugin.encoding_unsupported`, `plugin.bad_declaration`. */
export function readDeclarations(ready: Ready): PluginDeclarations {
  const { version, name, pluginVersion } = ready;
  if (!PLUGIN_VERSIONS.includes(version)) throw pluginErrors.versionUnsupported(version, PLUGIN_VERSIONS);
  const encoding = encodingOf(ready.encoding);
  if (encoding === undefined) throw pluginErrors.encodingUnsupported(ready.encoding);
  checkName("the plugin's name", name, limits.memberNameLength);
  if (pluginVersion.length > limits.memberNameLength) throw tooLong("the plugin's version", pluginVersion);
  return Object.freeze({
    name,
    pluginVersion,
    version,
    encoding,
    actors: readActors(ready.actors),
    middleware: readMiddleware(ready.middleware),
  });
}

function readActors(declared: readonly ActorDeclaration[]): ReadonlyMap<string, CarriedDeclaration> {
  checkCount("actors", declared.length, limits.pluginActors);
  const actors = new Map<string, CarriedDeclaration>();
  for (const actor of declared) {
    checkName("an actor's name", actor.name, limits.actorNameLength);
    if (actors.has(actor.name)) throw pluginErrors.badDeclaration(`two actors "${actor.name}"`);
    actors.set(actor.name, readActor(actor));
  }
  return actors;
}

function readActor(actor: ActorDeclaration): CarriedDeclaration {
  const { name, connections, sockets, database } = actor;
  return Object.freeze({
    name,
    actions: memberNames(`an action of "${name}"`, actor.actions),
    events: memberNames(`an event of "${name}"`, actor.events),
    options: readOptions(name, actor.options),
    connections,
    sockets,
    database,
  });
}

function memberNames(what: string, names: readonly string[]): readonly string[] {
  checkCount(what, names.length, limits.pluginActorMembers);
  for (const name of names) checkName(what, name, limits.memberNameLength);
  const doubled = names.find((name, at) => names.indexOf(name) !== at);
  if (doubled !== undefined) throw pluginErrors.badDeclaration(`${what} is there twice: "${doubled}"`);
  return Object.freeze([...names]);
}

function readOptions(actor: string, json: Uint8Array): Readonly<Record<string, unknown>> {
  if (json.byteLength === 0) return Object.freeze({});
  if (json.byteLength > limits.pluginActorOptionsBytes)
    throw pluginErrors.badDeclaration(
      `the options of "${actor}" have ${json.byteLength} bytes; the limit is ${limits.pluginActorOptionsBytes}`,
    );
  const options = decodeOptions(actor, json);
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw pluginErrors.badDeclaration(`the options of "${actor}" aren't a JSON object`);
  return Object.freeze({ ...options });
}

function decodeOptions(actor: string, json: Uint8Array): unknown {
  try {
    return decodePayload(json, "json");
  } catch (cause) {
    throw pluginErrors.badDeclaration(`the options of "${actor}" aren't JSON`, cause);
  }
}

function readMiddleware(declared: readonly MiddlewareDeclaration[]): readonly MiddlewareDeclaration[] {
  checkCount("middleware", declared.length, limits.pluginMiddleware);
  const seen = new Set<string>();
  for (const { kind, name } of declared) {
    checkName("a middleware's name", name, limits.memberNameLength);
    if (kind === 0) throw pluginErrors.badDeclaration(`middleware "${name}" has no kind`);
    if (seen.has(`${kind} ${name}`))
      throw pluginErrors.badDeclaration(`middleware "${name}" is there twice under kind ${kind}`);
    seen.add(`${kind} ${name}`);
  }
  return Object.freeze([...declared]);
}

function checkName(what: string, name: string, length: number): void {
  if (name === "") throw pluginErrors.badDeclaration(`${what} is empty`);
  if (name.length > length) throw tooLong(what, name);
}

function tooLong(what: string, text: string): Error {
  return pluginErrors.badDeclaration(`${what} is too long: "${text.slice(0, 40)}…"`);
}

function checkCount(what: string, count: number, limit: number): void {
  if (count > limit) throw pluginErrors.badDeclaration(`${what}: ${count}, the limit is ${limit}`);
}
