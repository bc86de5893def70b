/**
 * Sockets that only processes of this machine, and of this user, can open. Where there is none (an isolate, workerd) nobody
 * has this port.
 */
export interface LocalSocket {
  attach(handler: LocalSocketHandler): void;
  write(bytes: Uint8Array): void;
  /** Ends it behind what was written. */
  end(): void;
  /** Ends it now. */
  destroy(): void;
  /** Reads no more until `resume`: whoever writes there has to wait. */
  pause(): void;
  resume(): void;
  /** What was written and isn't taken yet. */
  readonly bufferedBytes: number;
}

/** Who listens to a socket. */
export interface LocalSocketHandler {
  data(bytes: Uint8Array): void;
  /** Once, and last, however it ended. */
  closed(): void;
}

/** An open door. */
export interface LocalDoor {
  /** The path that others connect to. */
  readonly path: string;
  /** Takes nobody any more, and removes the path. Open sockets stay. */
  close(): void;
}

/** Opens doors. */
export interface LocalSockets {
  open(accept: (socket: LocalSocket) => void): Promise<LocalDoor>;
}
