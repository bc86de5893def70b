/**
 * Errors between an engine and its remote hosts.
 */
import { error } from "../new-error.ts";

/** By `group.code`. */
export const remoteErrors = {
  malformed: (what: string) =>
    error(
      400,
      "protocol",
      "malformed_frame",
      `This can't be read as a message of the host protocol: ${what}`,
    ),
  refused: () => error(403, "host", "refused", "The engine refused this host"),
  hostLost: (id: string) =>
    error(502, "host", "lost", "The remote host that ran this actor is gone", {
      metadata: { hostId: id, applied: "unknown" },
    }),
  pluginFailed: (cause: unknown) =>
    error(500, "host", "plugin_failed", "A plugin of this host can't be opened", { cause }),
  badStart: (why: string) => error(400, "host", "bad_start", `This is no order to start a host: ${why}`),
  engineLost: () => error(502, "host", "engine_lost", "The engine that this host works for is gone"),
  engineTimedOut: (ms: number) =>
    error(504, "host", "engine_timed_out", `The engine didn't take this host within ${ms} ms`),
};
