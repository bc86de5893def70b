import { useEffect, useInsertionEffect, useRef } from "react";
import type { EventUnsubscribe } from "../types.ts";

/** A handler of an event whose arguments aren't known. */
export type Handler = (...args: unknown[]) => void;

/** Something to subscribe at: a connection of any actor. */
interface Emitter {
  on(name: string, listener: Handler): EventUnsubscribe;
}

/**
 * Listens for an event while the component is mounted. One subscription for each connection and name, whatever the
 * component renders; the handler that is called is that of the newest render.
 */
export function useConnectionEvent(connection: Emitter | null, name: string, handler: Handler): void {
  const newest = useRef(handler);
  // Before every other effect of the render, so that none of them can see an event reach an older handler.
  useInsertionEffect(() => {
    newest.current = handler;
  });
  useEffect(() => connection?.on(name, (...args) => newest.current(...args)), [connection, name]);
}
