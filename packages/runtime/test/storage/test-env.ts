/** An Env on the real clock for tests of storage. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Env, Logger } from "@troupe/base";

const silent: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  child: () => silent,
};

function orderedId(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const random = randomBytes(10).toString("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`;
}

/** Real time, random ids, no log. */
export function testEnv(): Env {
  const unused = () => {
    throw new Error("storage uses no crypto");
  };
  return {
    clock: { now: () => Date.now(), monotonic: () => performance.now() },
    timers: {
      set: (task, delayMs, options) => {
        const timer = setTimeout(task, delayMs);
        if (options?.background === true) timer.unref();
        return timer;
      },
      clear: (timer) => clearTimeout(Number(timer)),
    },
    random: Math.random,
    ids: { random: () => randomBytes(16).toString("hex"), ordered: orderedId },
    crypto: { digest: unused, hmac: unused, timingSafeEqual: unused, randomBytes: unused },
    log: silent,
    asyncContext: { follows: true, variable: unused },
    afterTurn: (task) => void setImmediate(task),
  };
}

/** A new directory, removed at the end of its scope. */
export function temporaryDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), "troupe-storage-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

/** Settles in a macrotask after every one that is queued now. */
export function macrotask(): Promise<void> {
  return new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}
