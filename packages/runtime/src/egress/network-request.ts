/** What goes the way out, and what comes back. */

/** A request from inside. */
export interface NetworkRequest {
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | undefined;
  readonly followRedirects: boolean;
  /** Milliseconds; undefined: as long as may be. */
  readonly timeoutMs: number | undefined;
  /** The longest body of an answer. Default: `limits.networkResponseBytes`. */
  readonly responseBytes?: number | undefined;
}

/** What it got. */
export interface NetworkResponse {
  /** Of the last hop. */
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}
