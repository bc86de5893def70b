/**
 * What a server of node:http hands to `nodeHandler` and `upgrade`, by its shape: a program's types are checked also where those of
 * Node aren't installed.
 */

/** An IncomingMessage of node:http. */
export interface NodeServerRequest {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: object;
  readonly socket: object;
}

/** A ServerResponse of node:http. */
export interface NodeServerResponse {
  readonly headersSent: boolean;
  writeHead(statusCode: number): unknown;
  end(): unknown;
}

/** The Duplex of an upgrade. */
export interface NodeServerSocket {
  readonly writable: boolean;
  end(): unknown;
}
