/**
 * PortRequest: an HTTP request to a port on which a process of the sandbox listens.
 *
 * What answers is whatever runs inside: its head and body are passed on, and believed in nothing.
 */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { pipeline } from "node:stream";
import { TroupeError } from "@troupe/base";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { portErrors } from "./errors.ts";

/** What is asked. */
export interface PortRequest {
  readonly port: number;
  /** With its query. */
  readonly path: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined;
  /** Fires when nobody waits any more; also while the answer's body is read. */
  readonly signal?: AbortSignal | undefined;
}

/** What belongs to one connection. */
const connectionHeaders =
  /^(?:connection|content-length|expect|host|keep-alive|proxy-.*|sec-websocket-.*|te|trailer|transfer-encoding|upgrade)$/i;

/** The headers of a request, without those of its connection. */
export function passedOn(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !connectionHeaders.test(name)));
}

/** Sends it; settles with the answer's head. Rejects with `port.closed` where nobody listens, `port.answer_invalid` where it says no HTTP. */
export async function requestPort(
  sandbox: Pick<Sandbox, "connect">,
  request: PortRequest,
): Promise<IncomingMessage> {
  const { port, path, method, body, signal } = request;
  const connection = await sandbox.connect(port);
  const headers = passedOn(request.headers);
  const sized = body instanceof Uint8Array ? { "content-length": body.byteLength } : {};
  try {
    return await new Promise((resolve, reject) => {
      const sent = httpRequest({
        createConnection: () => connection,
        method,
        path,
        headers: { ...headers, ...sized, host: `localhost:${port}`, connection: "close" },
        ...(signal === undefined ? {} : { signal }),
      });
      sent.on("response", resolve);
      sent.on("error", reject);
      connection.on("close", () => reject(new Error("the connection was closed")));
      if (body === undefined || body instanceof Uint8Array) sent.end(body);
      // Whoever gives the body is let go with the request, which tells what failed.
      else pipeline(body, sent, () => undefined);
    });
  } catch (cause) {
    connection.destroy();
    if (TroupeError.is(cause) || signal?.aborted === true) throw cause;
    throw isNoHttp(cause) ? portErrors.answerInvalid(port, cause) : portErrors.closed(port, cause);
  }
}

/** The headers of an answer, without those of its connection. */
export function answerHeaders(answer: IncomingMessage): [name: string, value: string][] {
  return Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
    connectionHeaders.test(name) ? [] : values.map((value): [string, string] => [name, value]),
  );
}

/** The parser's names of what it can't read. */
function isNoHttp(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && String(cause.code).startsWith("HPE_");
}
