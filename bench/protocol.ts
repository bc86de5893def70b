/**
 * What the bench's processes say to each other over Node's IPC channel: one JSON object a message.
 */

/** A server under test, once it serves. */
export interface ServerReady {
  readonly kind: "ready";
  readonly port: number;
}

/** A part of the remote program, once it serves, or runs actors. */
export interface RemoteReady {
  readonly kind: "ready";
  readonly endpoint: string;
}

/** What a server has used since it was asked last. */
export interface ServerUsage {
  readonly kind: "usage";
  /** User and system time, microseconds. */
  readonly cpuUs: number;
  /** Bytes handed to write(2) and its like, from /proc/self/io; 0 where there is none. */
  readonly writtenBytes: number;
}

/** What a load generator measured. */
export interface LoadResult {
  readonly kind: "result";
  readonly calls: number;
  readonly seconds: number;
  /** Sorted latencies, milliseconds; a sample when there were many. */
  readonly latencies: readonly number[];
}

/** Which server to start. */
export type ServerName = "floor" | "troupe";

/** What a load generator is to do. */
export type LoadOrder =
  | {
      readonly kind: "http";
      readonly port: number;
      /** "notes" has a database of its own. */
      readonly actor?: "counter" | "notes";
      readonly keys: number;
      readonly callers: number;
      readonly durationMs: number;
      /**
       * "add" on existing keys; "fresh": each call goes to a key of its own, `calls` of them; "napped" and "rested":
       * a read after a pause, in which the actor has slept or not.
       */
      readonly mode: "add" | "fresh" | "rested" | "napped";
      readonly calls?: number;
      readonly prefix?: string;
    }
  | {
      readonly kind: "ws";
      readonly port: number;
      readonly connections: number;
      readonly inFlight: number;
      readonly durationMs: number;
      /** True for a Troupe server: hello, welcome, action frames. */
      readonly troupe: boolean;
    }
  | {
      /** Messages for the queue of one actor, and a wait until the last one was handled. */
      readonly kind: "queue";
      readonly port: number;
      readonly connections: number;
      readonly inFlight: number;
      readonly durationMs: number;
      readonly troupe: boolean;
    }
  | {
      readonly kind: "broadcast";
      readonly port: number;
      readonly connections: number;
      readonly messages: number;
      readonly bytes: number;
      readonly troupe: boolean;
    }
  | {
      /** One result that comes in items, over one socket. */
      readonly kind: "stream";
      readonly port: number;
      readonly items: number;
      readonly bytes: number;
      readonly troupe: boolean;
    }
  | {
      /** Sockets, each to an actor of its own, that stay open until the load generator ends. */
      readonly kind: "hold";
      readonly port: number;
      readonly sockets: number;
      readonly troupe: boolean;
    }
  | {
      /** One action over each of so many sockets that are held, one after the other. */
      readonly kind: "wake";
      readonly calls: number;
    };
