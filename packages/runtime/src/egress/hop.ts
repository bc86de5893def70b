/** One request to one address, over a connection of its own: a name's answer is used once, and nothing is shared. */
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Address } from "./addresses.ts";
import { networkErrors } from "./errors.ts";

/** What is sent. */
export interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly address: Address;
  readonly signal: AbortSignal;
  /** The longest body of the answer. */
  readonly responseBytes: number;
}

/** What came back. */
export interface HopAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** Makes the request. Rejects with `network.failed`, `network.response_too_large`, and the signal's reason. */
export async function makeHop(hop: Hop): Promise<HopAnswer> {
  try {
    const response = await send(hop);
    return {
      status: response.statusCode ?? 0,
      statusText: response.statusMessage ?? "",
      headers: headersOf(response),
      body: await bodyOf(response, hop.responseBytes),
    };
  } catch (cause) {
    hop.signal.throwIfAborted();
    throw networkErrors.failed(hop.url.origin, cause);
  }
}

function send({ url, method, headers, body, address, signal }: Hop): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const make = url.protocol === "https:" ? httpsRequest : httpRequest;
    const request = make(url, {
      method,
      headers: { ...headers, ...(body === undefined ? {} : { "content-length": String(body.byteLength) }) },
      agent: false,
      signal,
      lookup: (_host, options, found) => {
        if (options.all === true) found(null, [{ ...address }]);
        else found(null, address.address, address.family);
      },
    });
    request.on("response", resolve);
    request.on("error", reject);
    request.end(body);
  });
}

async function bodyOf(response: IncomingMessage, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength;
    if (bytes > limit) throw networkErrors.responseTooLarge(limit);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function headersOf(response: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(response.headersDistinct).map(([name, values = []]) => [name, values.join(", ")]),
  );
}
