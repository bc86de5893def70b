/**
 * The one file of this package that touches the platform's globals. Everything else gets them by constructor.
 */
import type { TimerHandle, Timers } from "@troupe/base";
import type { ClientEnv, FetchAnswer, FetchInit } from "./env.ts";

/** Longer delays fire at once on every platform: they are cut to this. Milliseconds. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

/** What Node's timers can and browsers' can't. */
interface Unreferable {
  unref?: () => void;
}

const timers: Timers = {
  set(task, delayMs, options) {
    const timer: TimerHandle = setTimeout(task, Math.min(delayMs, LONGEST_DELAY_MS));
    if (options?.background === true && typeof timer === "object") (timer as Unreferable).unref?.();
    return timer;
  },
  clear(timer) {
    clearTimeout(timer as ReturnType<typeof setTimeout>);
  },
};

/** Tickets are made of it, which nobody may guess. */
function random(): number {
  const [word] = globalThis.crypto?.getRandomValues(new Uint32Array(1)) ?? [];
  return word === undefined ? Math.random() : word / 2 ** 32;
}

function platformFetch(url: string, init: FetchInit): Promise<FetchAnswer> {
  const body = init.body as string | Uint8Array<ArrayBuffer>;
  return fetch(url, { ...init, headers: { ...init.headers }, body });
}

/** A browser's page or worker says when its network is back, a page also when somebody looks at it again. */
function onWake(listener: () => void): () => void {
  const seen = (): void => {
    if (document.visibilityState === "visible") listener();
  };
  const page = typeof document === "undefined" ? undefined : document;
  addEventListener("online", listener);
  page?.addEventListener("visibilitychange", seen);
  return () => {
    removeEventListener("online", listener);
    page?.removeEventListener("visibilitychange", seen);
  };
}

/** The platform that this runs on: browsers, Node from 22 on, Deno, Bun, workers. */
export function platformEnv(): ClientEnv {
  return {
    clock: { monotonic: () => performance.now() },
    timers,
    random,
    log: { warn: (message, fields) => console.warn(`troupe: ${message}`, fields ?? "") },
    ...(typeof navigator === "undefined" || typeof navigator.onLine !== "boolean" ? {} : { onWake }),
    fetch: platformFetch,
    streamingFetch: (url, init) => fetch(url, init),
    ...(typeof WebSocket === "undefined" ? {} : { WebSocket }),
  };
}
