/** Where processes of an actor's machine reach it. */
export interface RuntimeSocketAddress {
  /** The path of a Unix socket. */
  readonly path: string;
  /** What a process shows. Whoever has it may do what the actor's own code may. */
  readonly token: string;
  /** Both as variables, for the environment of a child process: the clients find them there. */
  readonly env: Readonly<Record<string, string>>;
}
