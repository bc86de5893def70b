/** Where the items of a streamed result come from. */
export interface ItemSource {
  /** The next item. Rejects with what ended the result early. One at a time. */
  next(): Promise<IteratorResult<unknown, undefined>>;
  /** Nobody takes any more. */
  cancel(reason: unknown): void;
}
