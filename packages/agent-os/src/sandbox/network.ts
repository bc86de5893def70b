/**
 * SandboxNetwork: the port to the one way out of a sandbox. Who is on the other side decides what may be asked for, and knows
 * what a sandbox must not: its drivers hand requests on, and reach nothing by themselves.
 */

import type { Duplex } from "node:stream";
import type { NetworkRequest, NetworkResponse } from "@troupe/runtime/egress";

/** The way out of one sandbox. */
export interface SandboxNetwork {
  /** Variables for its shells: placeholders of credentials. */
  readonly variables: Readonly<Record<string, string>>;
  /** Origins of http on this machine itself that may be asked for something: inside their names mean the sandbox. */
  readonly localOrigins: readonly string[];
  /** Rejects with `network.*`. */
  fetch(request: NetworkRequest, signal: AbortSignal): Promise<NetworkResponse>;
  /** True where http may be spoken, request by request: no connection is needed for it. */
  isHttp(host: string, port: number): boolean;
  /** A connection whose content nobody sees, for https alone. Rejects with `network.*`. */
  connect(host: string, port: number, signal: AbortSignal): Promise<Duplex>;
}
