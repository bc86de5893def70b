/** How an engine has a platform run a function: one request, whose answer lasts as long as the function does. */
export interface FunctionOrder {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Nobody wants it any more. */
  readonly signal: AbortSignal;
}

/** Starts functions. */
export interface Functions {
  /**
   * Settles when the platform has begun to answer: `ended` settles, well, when it has ended. Rejects with what refused it: a
   * status, a connection that failed.
   */
  start(order: FunctionOrder): Promise<{ readonly ended: Promise<void> }>;
}
