/** Runs the program on this process, and tells of an error by its text and a code. */
import { createInterface } from "node:readline/promises";
import { failureOf } from "./failure.ts";
import { troupeProgram } from "./program.ts";

/** How a process that was asked twice exits. */
const IMPATIENT_EXIT = 130;

/** Signals that end a process that says nothing of them. Node would open its debugger at SIGUSR1, to whoever is on this machine. */
const endingSignals = ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2"] as const;

/** Those that ask a process to end. */
const asking = ["SIGTERM", "SIGINT", "SIGQUIT"] as const;

function asked(ignored: readonly NodeJS.Signals[] = []): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let count = 0;
  for (const signal of ignored) process.on(signal, () => undefined);
  for (const signal of asking) {
    process.on(signal, () => {
      count += 1;
      if (count > 1) process.exit(IMPATIENT_EXIT);
      resolve(signal);
    });
  }
  return promise;
}

/** Ctrl-C and Ctrl-D are an answer too: none. */
async function ask(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const closed = new Promise<string>((resolve) => lines.once("close", () => resolve("")));
  try {
    return await Promise.race([lines.question(question), closed]);
  } finally {
    lines.close();
  }
}

/** Settles when it is written, or nobody reads it. */
function said(stream: NodeJS.WriteStream, text: string): Promise<void> {
  return new Promise((resolve) => void stream.write(text, () => resolve()));
}

// Whoever read it may be gone, as behind `| head`: what nobody hears doesn't end a gateway without its teardown.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);

try {
  await troupeProgram({
    cwd: process.cwd(),
    env: process.env,
    out: (text) => void process.stdout.write(text),
    fail: (code = 1) => {
      process.exitCode = code;
    },
    err: (text) => void process.stderr.write(text),
    self: [process.execPath, ...process.execArgv, process.argv[1] ?? ""],
    exit: (code) => {
      process.exitCode = code;
    },
    interactive: [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY),
    ...(process.stdin.isTTY && { ask }),
    onSignal: (listener) => {
      for (const signal of endingSignals) process.on(signal, () => listener(signal));
    },
    asked,
    onReload: (listener) => {
      process.on("SIGHUP", listener);
    },
  }).parseAsync();
} catch (error) {
  const { exitCode, out, err } = failureOf(error, process.argv.slice(2));
  await said(process.stdout, out);
  await said(process.stderr, err);
  // What a program has begun by itself while it was imported doesn't go on behind a command that has failed.
  process.exit(exitCode);
}
