/** Where an agent works: what its requests are answered with. */
import {
  RequestError,
  type RequestPermissionRequest,
  type RequestPermissionResponse,
} from "@agentclientprotocol/sdk";
import { TroupeError } from "@troupe/base";
import type { Sandbox } from "../sandbox/sandbox.ts";

/** What an agent may reach. */
export interface AgentPlace {
  /** The actor's sandbox, booted if need be. */
  sandbox(): Promise<Sandbox>;
  /** Decides on an agent's question. Never rejects. */
  permit(request: RequestPermissionRequest): Promise<RequestPermissionResponse>;
}

/** An error that the agent is told, with its text. */
export function refused(message: string): RequestError {
  return new RequestError(RequestError.invalidParams().code, message);
}

/** What an agent is told of an error of ours: its text and code. Anything else is masked by the SDK. */
export function toRequestError(cause: unknown): unknown {
  if (!TroupeError.is(cause)) return cause;
  // The SDK's own maker of this error takes an address, and puts it into a text of its own.
  if (cause.metadata?.code === "ENOENT")
    return new RequestError(RequestError.resourceNotFound().code, cause.message);
  return new RequestError(RequestError.internalError().code, cause.message, {
    code: `${cause.group}.${cause.code}`,
  });
}
