import type { IsolateEnd } from "../wire.ts";

/** What stops the load of a source. */
export class LoadError extends Error {
  readonly end: IsolateEnd;

  constructor(end: IsolateEnd) {
    super(end.message);
    this.end = end;
  }
}
