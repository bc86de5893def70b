/** Errors of what a plugin asks of its host. Each is the answer to that question alone. */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";

function error(code: string, message: string, options: TroupeErrorOptions = {}): TroupeError {
  return new TroupeError("plugin", code, message, { statusCode: 400, ...options });
}

/** Group `plugin`. */
export const hostErrors = {
  noRelay: () => error("no_relay", "This plugin runs where there is no relay to ask", { statusCode: 409 }),
  notAllowed: (plugin: string, ask: string, capability: string) =>
    error(
      "not_allowed",
      `Plugin ${plugin} asks for ${ask}, and its manifest doesn't list "${capability}" under capabilities`,
      { statusCode: 403, metadata: { plugin, ask, capability } },
    ),
  askUnknown: (ask: number) =>
    error("ask_unknown", `This host doesn't know what ${ask} asks for`, { metadata: { ask } }),
  askInvalid: (field: string, expected: string) =>
    error("ask_invalid", `${field} must be ${expected}`, { metadata: { field, expected } }),
  /** The call of middleware that the question was part of has been answered, or isn't waited for any more. */
  callOver: () => error("call_over", "The call is over: nothing can be asked in it", { statusCode: 409 }),
  /** It isn't one that the plugin made, nor that of a call. */
  scopeUnknown: (scope: string) =>
    error(
      "scope_unknown",
      `Scope ${scope} isn't this plugin's to name: it may name the scopes that it made and that are open, and those that its calls were told`,
      { statusCode: 404, metadata: { scope } },
    ),
  tooMany: (what: "scopes" | "gates" | "fetches" | "files" | "calls", limit: number) =>
    error(`too_many_${what}`, `The plugin has ${limit} ${what} already`, {
      statusCode: 429,
      metadata: { limit },
    }),
  /** What the end of a scope says that the plugin pushed and never popped. */
  scopeLeft: (plugin: string) => error("scope_left", `Plugin ${plugin} never popped it`),
};
