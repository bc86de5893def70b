/** Signals that ask a process to end. */
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** How a process that was told twice exits. */
const IMPATIENT_EXIT = 130;

/** Marks our listeners, so that several registries of a process find each other's: the last one exits. */
const STOPPING = Symbol.for("troupe.signals.stopping");

interface Listener {
  (): void;
  [STOPPING]: boolean;
}

/** The first signal stops in order and exits with 0; the second exits at once. Returns what undoes it. */
export function onSignal(stop: () => Promise<void>): () => void {
  let asked = false;
  const ended = (): void => {
    listener[STOPPING] = false;
    if (!process.listeners("SIGTERM").some(isStopping)) process.exit(process.exitCode ?? 0);
  };
  const listener: Listener = Object.assign(
    () => {
      if (asked) process.exit(IMPATIENT_EXIT);
      asked = true;
      void stop()
        .catch((cause: unknown) => {
          process.exitCode = 1;
          process.stderr.write(`troupe: the stop failed: ${String(cause)}\n`);
        })
        .then(ended);
    },
    { [STOPPING]: true },
  );
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    // A stop that a signal began keeps listening for the second one.
    if (!asked) for (const signal of SIGNALS) process.off(signal, listener);
  };
}

function isStopping(listener: object): boolean {
  return STOPPING in listener && listener[STOPPING] === true;
}
