/** `createNativePluginFactory`: `pluginActor({ library })` by the name that it has in RivetKit. */
import type { CarriedDefinition } from "@troupe/runtime";
import { nativeErrors } from "./carriers/native/errors.ts";
import { pluginActor } from "./plugin-actor.ts";

/** What `createNativePluginFactory` takes. */
export interface NativePluginFactoryOptions {
  /** The shared library. It runs in this process. */
  readonly pluginPath: string;
  /** The plugin's configuration, JSON text. Default: none. */
  readonly configJson?: string;
}

/**
 * The same as `pluginActor({ library: pluginPath, config: JSON.parse(configJson) })`. The library is one of ours: a library of
 * RivetKit's ABI is recognised, and refused with the page on porting. Throws `plugin.bad_option`.
 */
export function createNativePluginFactory(options: NativePluginFactoryOptions): CarriedDefinition {
  const { pluginPath, configJson, ...others } = options;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw nativeErrors.badOption(`there is no option "${unknown}"`);
  const config = configJson === undefined ? undefined : parsed(configJson);
  return pluginActor({ library: pluginPath, ...(config !== undefined && { config }) });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw nativeErrors.badOption("`configJson` must be JSON");
  }
}
