/** A request to a port of the sandbox as one call, and its answer as a whole. */
import { limits } from "@troupe/protocol";
import { portErrors, sandboxErrors } from "../errors.ts";
import { asVariables, bytesOf, checkOptions, checkText } from "../sandbox/arguments.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
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
  place: () => Promise<Sandbox>,
  port: number,
  url: string,
  options: PortFetchOptions = {},
): Promise<PortFetchResult> {
  checkPort(port);
  checkText("url", url);
  checkOptions("vmFetch", options, fetchNames);
  const { method = "GET", headers = {}, body } = options;
  checkText("method", method);
  for (const [name, value] of Object.entries(asVariables(headers))) checkText(name, value);
  const target = URL.parse(url, "http://localhost");
  if (target === null || !/^[A-Za-z]{1,20}$/.test(method))
    throw sandboxErrors.invalidArgument("url", "a path or a URL");
  const late = AbortSignal.timeout(limits.networkRequestMs);
  const answer = await requestPort(await place(), {
    port,
    path: target.pathname + target.search,
    method: method.toUpperCase(),
    headers,
    body: body === undefined ? undefined : bytesOf(body),
    signal: late,
  }).catch((cause: unknown) => {
    throw late.aborted ? portErrors.timedOut(port, limits.networkRequestMs) : cause;
  });
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > limits.portAnswerBytes) {
      answer.destroy();
      throw portErrors.answerTooLarge(limits.portAnswerBytes);
    }
    chunks.push(chunk);
  }
  return {
    status: answer.statusCode ?? 0,
    statusText: answer.statusMessage ?? "",
    headers: Object.fromEntries(answerHeaders(answer)),
    body: Uint8Array.from(Buffer.concat(chunks)),
  };
}
