/**
 * What gRPC says of a call, which is headers of HTTP/2: a worker's one call, the host's answer, and how it ended. Its messages are
 * `batch-stream.ts`.
 */
import type {
  IncomingHttpHeaders,
  IncomingHttpStatusHeader,
  OutgoingHttpHeaders,
  Settings,
} from "node:http2";
import { WORKER_METHOD, WORKER_TOKEN_METADATA } from "@troupe/protocol/plugin/v1";

/** Statuses that the host gives. */
export const GrpcStatus = { OK: 0, ALREADY_EXISTS: 6, UNIMPLEMENTED: 12, UNAUTHENTICATED: 16 } as const;

/** What either end may have on its way before the other has heard it: on a connection, and on its one stream. */
export interface Windows {
  readonly settings: Settings;
  readonly connectionBytes: number;
}

/**
 * An end of Node's reads nothing while a write of its own is going on: what both may write must fit what the socket holds, or both wait for
 * ever. That is 208 KiB on Linux, so that the stream isn't what holds back there, and the connection is. HTTP/2's own 64 KiB would make a call
 * of 100 kB wait for a word of the reader's in its middle.
 *
 * macOS and its relatives hold 8 KiB. A connection's window can't be less than 64 KiB, so that it is the stream's that is small: 4 KiB,
 * which with the heads of the smallest messages are less than 8.
 */
export function windowsOn(platform: NodeJS.Platform): Windows {
  return platform === "linux"
    ? { settings: { initialWindowSize: 1024 * 1024 }, connectionBytes: 128 * 1024 }
    : { settings: { initialWindowSize: 4 * 1024 }, connectionBytes: 65_535 };
}

/** This system's. */
export const windows: Windows = windowsOn(process.platform);

const grpc = { "content-type": "application/grpc" };

/** A worker's call. */
export function attachHeaders(token: string): OutgoingHttpHeaders {
  return {
    ":method": "POST",
    ":path": WORKER_METHOD,
    ...grpc,
    te: "trailers",
    [WORKER_TOKEN_METADATA]: token,
  };
}

/** The call is taken. */
export const acceptedHeaders: OutgoingHttpHeaders = { ":status": 200, ...grpc };

/** How a call ended: as trailers, or as the only answer. */
export function statusHeaders(status: number, message = ""): OutgoingHttpHeaders {
  return { "grpc-status": status, ...(message !== "" && { "grpc-message": encodeURIComponent(message) }) };
}

/** Why the call failed, if an answer's headers or trailers say so. */
export function failureOf(headers: IncomingHttpHeaders & IncomingHttpStatusHeader): Error | undefined {
  const { ":status": http = 200, "grpc-status": status = "0", "grpc-message": message = "" } = headers;
  if (http !== 200) return new Error(`the host answers with ${http}`);
  if (Number(status) === GrpcStatus.OK) return undefined;
  return new Error(`the host has refused this worker: ${decoded(String(message))} (gRPC status ${status})`);
}

function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
