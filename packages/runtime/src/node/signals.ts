/** Signals that ask a process to end. */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** How a process that was told twice exits. */
const IMPATIENT_EXIT = 130;

/** The first signal stops in order and exits with 0; the second exits at once. Returns what undoes it. */
export function onSignal(stop: () => Promise<void>): () => void {
  let asked = false;
  const listener = (): void => {
    if (asked) process.exit(IMPATIENT_EXIT);
    asked = true;
    stop().then(
      () => process.exit(0),
      (cause: unknown) => {
        process.stderr.write(`troupe: the stop failed: ${String(cause)}\n`);
        process.exit(1);
      },
    );
  };
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    // A stop that a signal began keeps listening for the second one.
    if (!asked) for (const signal of SIGNALS) process.off(signal, listener);
  };
}
