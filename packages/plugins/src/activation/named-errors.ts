/** Errors of plugins that a program names, for who runs it: a remote caller gets `internal.error`, and the log has these. */
import { TroupeError, type TroupeErrorOptions } from "@troupe/base";

function hidden(code: string, message: string, options: TroupeErrorOptions): TroupeError {
  return new TroupeError("plugin", code, message, { statusCode: 502, public: false, ...options });
}

/** Group `plugin`. */
export const namedErrors = {
  /**
   * An actor names it: what it guards, and whether it is optional, would be in what can't be read. `isStart`: it may be left out. Behind
   * the start what was read before stays in force.
   */
  unread: (plugin: string, cause: TroupeError, isStart: boolean) => {
    const choice = 'to start without it: pluginActor({ plugin, startup: "optional" })';
    const todo = isStart ? choice : "what is in force of it stays";
    return hidden(
      "required_failed",
      `An actor names the plugin ${plugin}, which can't be read, so nobody knows what it guards (${todo}): ${cause.message}`,
      { metadata: { plugin, group: cause.group, code: cause.code }, cause },
    );
  },
  /** Of a plugin that is named, on a host of an engine. */
  notInForce: (id: string) =>
    hidden(
      "not_in_force",
      `Plugin ${id} has middleware, and this program runs its actors for an engine, so nothing goes by it here: give the engine's program the plugin`,
      { metadata: { plugin: id } },
    ),
  /** Of a plugin that is named, and that couldn't be found when the plugins were started. */
  foundLate: (id: string) =>
    hidden(
      "not_in_force",
      `Plugin ${id} may have middleware, which isn't in force: the plugin couldn't be found when this program started. Reload its plugins (troupe start does at SIGHUP), or start it anew`,
      { metadata: { plugin: id } },
    ),
  twice: (id: string) =>
    hidden(
      "named_twice",
      `Plugin ${id} is named by several pluginActor() with different settings, and runs once: say the same of it everywhere`,
      {
        metadata: { plugin: id },
      },
    ),
};
