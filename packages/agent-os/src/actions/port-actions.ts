/** Ports on which processes of the sandbox listen, for callers. */
import { fetchPort, type PortFetchOptions } from "../ports/fetch-port.ts";
import type { Place } from "./place.ts";

/** What is done with ports. */
export const portActions = {
  /** An HTTP request to a port of the sandbox; `url` is a path, or a URL of which path and query are used. */
  vmFetch: (c: Place, port: number, url: string, options?: PortFetchOptions) =>
    fetchPort(() => c.vars.slot.get(), port, url, options),
  /** An address under which a port is reached by whoever has it. Default: an hour; at most a day. */
  createSignedPreviewUrl: (c: Place, port: number, expiresInSeconds?: number) =>
    c.vars.previews.create(port, expiresInSeconds),
  /** Takes an address back; true when it was good until now. */
  expireSignedPreviewUrl: (c: Place, token: string) => c.vars.previews.expire(token),
};
