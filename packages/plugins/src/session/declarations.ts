/**
 * What a plugin says of itself in Ready, checked. The plugin gets nothing that doesn't stand here.
 */

import { limits } from "@troupe/protocol";
import { checkDeclaredName, decodeDeclarations, type PayloadEncoding } from "@troupe/protocol/actor/v1";
import {
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
  checkDeclaredName("the plugin's name", name, limits.memberNameLength, pluginErrors.badDeclaration);
  if (pluginVersion.length > limits.memberNameLength) throw tooLong("the plugin's version", pluginVersion);
  return Object.freeze({
    name,
    pluginVersion,
    version,
    encoding,
    actors: decodeDeclarations(ready.actors, pluginErrors.badDeclaration),
    middleware: readMiddleware(ready.middleware),
  });
}

function readMiddleware(declared: readonly MiddlewareDeclaration[]): readonly MiddlewareDeclaration[] {
  if (declared.length > limits.pluginMiddleware)
    throw pluginErrors.badDeclaration(
      `middleware: ${declared.length}, the limit is ${limits.pluginMiddleware}`,
    );
  const seen = new Set<string>();
  for (const { kind, name } of declared) {
    checkDeclaredName("a middleware's name", name, limits.memberNameLength, pluginErrors.badDeclaration);
    if (kind === 0) throw pluginErrors.badDeclaration(`middleware "${name}" has no kind`);
    if (seen.has(`${kind} ${name}`))
      throw pluginErrors.badDeclaration(`middleware "${name}" is there twice under kind ${kind}`);
    seen.add(`${kind} ${name}`);
  }
  return Object.freeze([...declared]);
}

function tooLong(what: string, text: string): Error {
  return pluginErrors.badDeclaration(`${what} is too long: "${text.slice(0, 40)}…"`);
}
