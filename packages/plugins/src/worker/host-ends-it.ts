/**
 * Who ends a process that a host has started: its host, and nobody else.
 *
 * Ctrl-C is for all processes of a terminal, and a service that is stopped gets SIGTERM in each of its own (systemd's
 * default). The host hears it too, and stops in order: calls that run are answered, actors go to sleep. Whoever ran them must be there
 * until that is done; it ends when the host says so, and with the host.
 */

/** What asks the processes of a terminal, or of a service, to end. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** From now on these signals do nothing here. */
export function leaveSignalsToHost(): void {
  for (const signal of SIGNALS) process.on(signal, () => {});
}
