/** What a proxy's process says. */

/** It listens. */
export interface ProxyReady {
  readonly url: string;
}

/** What it takes behind a collection. */
export interface ProxyMemory {
  readonly rssBytes: number;
  readonly heapBytes: number;
}
