/**
 * Gates Node's built-in `fetch` inside actors.
 *
 * fetch sends through a dispatcher that all of the process shares. Ours stands in front of it: a request that an actor
 * makes waits until what the actor wrote is durable; every other request passes. Whose request it is follows from the
 * async context, so it holds for fetch wherever the actor's code got it from. What doesn't go through the built-in
 * fetch (node:http, sockets, other libraries) isn't seen here: `c.saveState({ immediate: true })` is the barrier before
 * those.
 *
 * This is module state on purpose: there is one fetch in a process, however many runtimes.
 */
import { assert } from "@troupe/base";

type Departure = () => Promise<void> | undefined;

interface Dispatcher {
  dispatch(options: unknown, handler: DispatchHandler): boolean;
}

/** Both generations of undici's handlers: the one that Node's fetch passes tells by its members. */
interface DispatchHandler {
  onResponseError?(controller: unknown, error: unknown): void;
  onError?(error: unknown): void;
}

const DISPATCHER = Symbol.for("undici.globalDispatcher.1");
const departures = new Set<Departure>();
let installed = false;

/** Adds a runtime's gate; returns what takes it away. */
export function gateFetch(departure: Departure): () => void {
  departures.add(departure);
  install();
  return () => departures.delete(departure);
}

function install(): void {
  if (installed) return;
  // Node loads its fetch, and with it the dispatcher, when somebody first asks for a part of it.
  Reflect.get(globalThis, "Response");
  const inner: unknown = Reflect.get(globalThis, DISPATCHER);
  assert(isDispatcher(inner), "Node's fetch has a global dispatcher");
  installed = true;
  const gated = new Proxy(inner, {
    get(target, key) {
      if (key === "dispatch")
        return (options: unknown, handler: DispatchHandler) => dispatch(target, options, handler);
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  Reflect.set(globalThis, DISPATCHER, gated);
}

function dispatch(inner: Dispatcher, options: unknown, handler: DispatchHandler): boolean {
  const waits = [...departures].map((departure) => departure()).filter((wait) => wait !== undefined);
  if (waits.length === 0) return inner.dispatch(options, handler);
  Promise.all(waits).then(
    () => inner.dispatch(options, handler),
    (error: unknown) => (handler.onError ? handler.onError(error) : handler.onResponseError?.(null, error)),
  );
  return true;
}

function isDispatcher(value: unknown): value is Dispatcher {
  return (
    typeof value === "object" && value !== null && "dispatch" in value && typeof value.dispatch === "function"
  );
}
