/** A remote host that is a function of a platform, where there is nothing of Node's. */
import type { HostClient } from "../remote/host-client.ts";
import { answerStart, type StartOrder } from "../remote/serverless-host.ts";
import { edgeEnv } from "./env.ts";
import { checkHostOptions, hostClient, type RemoteHostOptions } from "./host.ts";

/**
 * Answers the `POST …/start` of an engine that has a serverless pool: for a function's `fetch`. `options` say where the engine is
 * and what it shows; the pool and the namespace are the engine's to say. Throws `config.unknown_option`, `config.invalid_option`.
 */
export function serveHost(options: RemoteHostOptions): (request: Request) => Promise<Response> {
  checkHostOptions("serveHost", options);
  const env = edgeEnv();
  const { token } = options;
  const start = ({ pool, namespace }: StartOrder): HostClient =>
    hostClient({ ...options, pool, namespace }, "serverless");
  return (request) => answerStart(request, { env, token, start });
}
