/** What a worker finds its host by: two environment variables, and a descriptor. */
export const workerHandover = {
  /** The path of the socket that the host listens at. */
  socket: "TROUPE_WORKER_SOCKET",
  /** The number of the descriptor that the token is read from, a line. Its end is the host's. */
  tokenFd: "TROUPE_WORKER_TOKEN_FD",
  fd: 3,
} as const;

/** What one worker is told. */
export interface Handover {
  readonly socket: string;
  readonly token: string;
}
