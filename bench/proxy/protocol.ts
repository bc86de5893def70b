/** What a proxy's process says. */

/** It listens. */
export interface ProxyReady {
  readonly url: string;
}

/** What it took since it was last asked. */
export interface ProxyUsage {
  readonly cpuUs: number;
  /** Behind a collection, as the heap's. */
  readonly rssBytes: number;
  readonly heapBytes: number;
}
