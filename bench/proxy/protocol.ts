/** What a proxy's process says. */

/** It listens. */
export interface ProxyReady {
  readonly url: string;
}

/** What it took since it was last asked. */
export interface ProxyUsage {
  readonly cpuUs: number;
  /** Before a collection. */
  readonly peakBytes: number;
  readonly rssBytes: number;
  readonly heapBytes: number;
}
