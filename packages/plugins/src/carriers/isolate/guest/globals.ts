/**
 * What code in an isolate finds beside the language: a little of what every platform has, made of bytes and timers.
 * What could reach past the isolate's limits is taken away: shared memory, WebAssembly (its memory isn't counted), and
 * finalizers (they would run outside of every entry, and so outside of its time limit).
 *
 * Installed when this module runs, before any other module of the bundle: some of them make a TextEncoder at once.
 */
import { Controller, Signal } from "./abort.ts";
import { host, out } from "./host.ts";
import { Utf8Decoder, Utf8Encoder } from "./text-coding.ts";
import { Timers } from "./timers.ts";
import { WebRequest, WebResponse } from "./web-body.ts";
import { webFetch } from "./web-fetch.ts";
import { WebHeaders } from "./web-headers.ts";
import { WebStream } from "./web-stream.ts";

const withheld = ["SharedArrayBuffer", "Atomics", "WebAssembly", "FinalizationRegistry"] as const;

/** Its timers. */
export const timers = new Timers(out);

/** As the platform's: there, replaceable, and not listed. */
export function define(globals: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
}

/** The same, but that the value is made when it is asked for first: few actors do. */
function defineWhenUsed(globals: Readonly<Record<string, () => unknown>>): void {
  for (const [name, value] of Object.entries(globals))
    Object.defineProperty(globalThis, name, {
      get: () => {
        define({ [name]: value() });
        return value();
      },
      set: (replaced: unknown) => define({ [name]: replaced }),
      configurable: true,
    });
}

function getRandomValues<T extends ArrayBufferView>(into: T): T {
  const { buffer, byteOffset, byteLength } = into;
  new Uint8Array(buffer, byteOffset, byteLength).set(host.randomBytes(byteLength));
  return into;
}

function randomUUID(): string {
  const bytes = host.randomBytes(16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** The wall clock may go back; this doesn't. */
function monotonic(): () => number {
  const start = Date.now();
  let latest = 0;
  return () => {
    latest = Math.max(latest, Date.now() - start);
    return latest;
  };
}

/** What is an isolate's own, and no part of the snapshot that all are made from: what is taken away, and the clock. */
export function settle(): void {
  for (const name of withheld) Reflect.deleteProperty(globalThis, name);
  define({ performance: Object.freeze({ timeOrigin: Date.now(), now: monotonic() }) });
}

define({
  TextEncoder: Utf8Encoder,
  TextDecoder: Utf8Decoder,
  AbortController: Controller,
  AbortSignal: Signal,
  queueMicrotask: (task: () => void): void => void Promise.resolve().then(task),
  setTimeout: timers.setTimeout,
  setInterval: timers.setInterval,
  clearTimeout: timers.clear,
  clearInterval: timers.clear,
  crypto: Object.freeze({ getRandomValues, randomUUID }),
});

defineWhenUsed({
  fetch: () => webFetch,
  Headers: () => WebHeaders,
  ReadableStream: () => WebStream,
  Request: () => WebRequest,
  Response: () => WebResponse,
});
