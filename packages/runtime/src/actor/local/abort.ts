/**
 * An abort signal that costs nothing until somebody asks for it: most actors never do.
 */
export class LazyAbort {
  #controller: AbortController | undefined;
  #reason: (() => unknown) | undefined;
  #aborted = false;
  #followers: Set<AbortController> | undefined;

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason?.());
    }
    return this.#controller.signal;
  }

  /** Aborts `controller` together with this one. */
  follow(controller: AbortController): void {
    if (this.#aborted) {
      controller.abort(this.#reason?.());
      return;
    }
    this.#followers ??= new Set();
    this.#followers.add(controller);
  }

  unfollow(controller: AbortController): void {
    this.#followers?.delete(controller);
  }

  /** `reason` is made only when somebody listens: an error costs more than the rest of a stop. */
  abort(reason: () => unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    this.#controller?.abort(reason());
    for (const follower of this.#followers ?? []) follower.abort(reason());
    this.#followers = undefined;
  }
}
