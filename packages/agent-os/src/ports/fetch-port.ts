/** A request to a port of the sandbox as one call, and its answer as a whole. */
import { type IncomingMessage, validateHeaderName, validateHeaderValue } from "node:http";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../errors.ts";
import { asVariables, bytesOf, checkOptions, checkText } from "../sandbox/arguments.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { portErrors } from "./errors.ts";
import { answerHeaders, requestPort } from "./port-request.ts";

/** What is asked of a port. */
export interface PortFetchOptions {
  /** Default: GET. */
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text as UTF-8, or bytes. */
  readonly body?: string | Uint8Array;
}

/** What it answered. */
export interface PortFetchResult {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

const fetchNames: readonly (keyof PortFetchOptions)[] = ["method", "headers", "body"];

/** Throws `sandbox.invalid_argument`. */
export function checkPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw sandboxErrors.invalidArgument("port", "a whole number from 1 to 65535");
  return port;
}

/** `url`: a path, or a URL of which path and query are used. Rejects with `port.*`, `sandbox.*`. */
export async function fetchPort(
  place: () => Promise<Pick<Sandbox, "connect">>,
  port: number,
  url: string,
  options: PortFetchOptions = {},
): Promise<PortFetchResult> {
  checkPort(port);
  checkText("url", url);
  checkOptions("vmFetch", options, fetchNames);
  const { method = "GET", headers = {}, body } = options;
  checkText("method", method);
  // Behind CONNECT there is a tunnel, and no answer.
  if (!/^[A-Za-z]{1,20}$/.test(method) || /^connect$/i.test(method))
    throw sandboxErrors.invalidArgument("method", "a method of HTTP, other than CONNECT");
  checkHeaders(headers);
  const target = URL.parse(url, "http://localhost");
  if (target === null) throw sandboxErrors.invalidArgument("url", "a path or a URL");
  const sandbox = await place();
  const late = AbortSignal.timeout(limits.networkRequestMs);
  try {
    const answer = await requestPort(sandbox, {
      port,
      path: target.pathname + target.search,
      method: method.toUpperCase(),
      headers,
      body: body === undefined ? undefined : bytesOf(body),
      signal: late,
    });
    return {
      status: answer.statusCode ?? 0,
      statusText: answer.statusMessage ?? "",
      headers: Object.fromEntries(answerHeaders(answer)),
      body: await bodyOf(answer),
    };
  } catch (cause) {
    if (late.aborted) throw portErrors.timedOut(port, limits.networkRequestMs);
    throw TroupeError.is(cause) ? cause : portErrors.answerCut(port, cause);
  }
}

function checkHeaders(headers: NonNullable<PortFetchOptions["headers"]>): void {
  for (const [name, value] of Object.entries(asVariables(headers, "headers"))) checkText(name, value);
  for (const [name, value] of Object.entries(headers)) {
    try {
      validateHeaderName(name);
      validateHeaderValue(name, value);
    } catch {
      throw sandboxErrors.invalidArgument(`headers.${name}`, "a header that HTTP can say");
    }
  }
}

async function bodyOf(answer: IncomingMessage): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  // Whoever leaves this loop ends the connection.
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > limits.portAnswerBytes) throw portErrors.answerTooLarge(limits.portAnswerBytes);
    chunks.push(chunk);
  }
  return Uint8Array.from(Buffer.concat(chunks));
}
