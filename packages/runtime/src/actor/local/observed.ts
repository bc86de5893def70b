/** A promise that nobody has to await: forgetting one that rejects must not end a process full of other actors. */
export function observed<R>(promise: Promise<R>): Promise<R> {
  promise.catch(() => {});
  return promise;
}
