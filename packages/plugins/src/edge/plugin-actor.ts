/** `pluginActor` where there is nothing of Node's: an actor of a module of WebAssembly that the platform has compiled. */
import type { CarriedDefinition } from "@troupe/runtime";
import { nativeErrors } from "../carriers/native/errors.ts";
import { inlineWasmCarrier } from "../carriers/wasm/inline-carrier.ts";
import { actorOfCode, checkTerms, configOf, type PluginActorTerms } from "../code-actor.ts";

/** What it takes. */
export interface EdgePluginOptions extends PluginActorTerms {
  /** The module, as a static import gives it: `import counter from "./counter.wasm"`. */
  readonly wasm: WebAssembly.Module;
}

/**
 * Defines an actor that a module of WebAssembly brings, for `startHost({ use })` in workerd and its like.
 *
 * ```ts
 * import { startHost } from "troupe/edge";
 * import { pluginActor } from "troupe/plugins/edge";
 * import counter from "./counter.wasm";
 *
 * startHost({ use: { counter: pluginActor({ wasm: counter }) }, endpoint, token });
 * ```
 *
 * It is instantiated when the host starts, in the worker's own thread: how long it may run, and how much memory it may have,
 * the platform says. Throws `plugin.bad_option`, `config.invalid_option`, `config.unknown_option`, `value.*`; the host isn't
 * `ready` when it can't be opened.
 */
export function pluginActor(options: EdgePluginOptions): CarriedDefinition {
  if (typeof options !== "object" || options === null) throw nativeErrors.badOption("it takes an object");
  checkTerms(options, ["wasm"]);
  if (!(options.wasm instanceof WebAssembly.Module))
    throw nativeErrors.badOption(
      "`wasm` must be a WebAssembly.Module: a static import of the file gives one",
    );
  const config = configOf(options);
  return actorOfCode(options, { open: inlineWasmCarrier(options.wasm, config), config, native: false });
}
