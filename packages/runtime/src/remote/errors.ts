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
  noHello: (ms: number) => error(408, "host", "no_hello", `The host said no Hello within ${ms} ms`),
  wrongToken: () =>
    error(
      401,
      "host",
      "wrong_token",
      "The engine doesn't know this token; give the host the engine's `hosts.token`",
    ),
  refused: () => error(403, "host", "refused", "The engine refused this host"),
  superseded: (id: string) =>
    error(409, "host", "superseded", "The host has opened another connection since", {
      metadata: { hostId: id },
    }),
  hostLost: (id: string) =>
    error(502, "host", "lost", "The remote host that ran this actor is gone", { metadata: { hostId: id } }),
  engineLost: () => error(502, "host", "engine_lost", "The engine that this host works for is gone"),
  engineTimedOut: (ms: number) =>
    error(504, "host", "engine_timed_out", `The engine didn't take this host within ${ms} ms`),
};
