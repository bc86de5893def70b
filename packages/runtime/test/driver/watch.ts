/** What became of a promise so far, without waiting for it. */
export interface Watched<T> {
  state: "pending" | "resolved" | "rejected";
  value?: T;
  error?: unknown;
  /** `group.code` of the error. */
  code?: string;
}

/** Watches a promise. */
export function watch<T>(promise: Promise<T>): Watched<T> {
  const watched: Watched<T> = { state: "pending" };
  promise.then(
    (value) => Object.assign(watched, { state: "resolved", value }),
    (error: unknown) => Object.assign(watched, { state: "rejected", error, code: codeOf(error) }),
  );
  return watched;
}

/** `group.code` of an error, or its text. */
export function codeOf(error: unknown): string {
  if (typeof error === "object" && error !== null && "group" in error && "code" in error) {
    return `${String(error.group)}.${String(error.code)}`;
  }
  return String(error);
}

/** `group.code` of what a promise rejects with; throws when it doesn't. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return codeOf(error);
  }
  throw new Error("it should have been rejected");
}

/** A promise with its ends outside: fakes hold their work open with it. */
export class Latch<T = void> {
  readonly promise: Promise<T>;
  #resolve: (value: T) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  open(value: T): void {
    this.#resolve(value);
  }

  fail(error: unknown): void {
    this.#reject(error);
  }
}
