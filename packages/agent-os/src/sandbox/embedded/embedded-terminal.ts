/**
 * EmbeddedTerminal: a shell of just-bash in a terminal, which has none: what a terminal does with what is typed is done here.
 *
 *   typing ──Enter──▶ running ──▶ typing …        Ctrl-D on an empty line, `exit`, a signal ──▶ ended
 *
 * What is typed is echoed and can be taken back (Backspace, Ctrl-U, Ctrl-C); a command runs when its last line is entered, on the files as they
 * are, and its directory and variables are those of the next one. What is typed while a line runs waits; Ctrl-C ends the line. A command in it
 * has no stdin, and prints when it ends. Arrow keys and the like do nothing. What one turn prints leaves in one piece, however many keys
 * it was.
 */
import { limits } from "@troupe/protocol";
import { processErrors } from "../../errors.ts";
import { HOME } from "../home.ts";
import {
  type ProcessCommand,
  type ProcessEnd,
  type ProcessListener,
  type ProcessSignal,
  processSignals,
  type SandboxProcess,
  type TerminalSize,
} from "../process.ts";
import { shellWord } from "../shell-word.ts";
import type { ProcessResult, ShellLine } from "./messages.ts";

/** Runs a line of a shell; ended by the signal. */
export type RunLine = (line: ShellLine, signal: AbortSignal) => Promise<ProcessResult>;

const PROMPT = "$ ";
/** While a command isn't complete. */
const MORE = "> ";
/** Signals that end a line and not its shell. */
const interrupts: ReadonlySet<ProcessSignal> = new Set(["SIGINT", "SIGQUIT"]);
const exitLine = /^\s*exit(?:\s+(?<code>\d{1,3}))?\s*$/;
const ESCAPE = "\u001b";
const BELL = "\u0007";
/** What is looked at as one: characters up to the next key that isn't one, an escape sequence, any other key. */
const keys = new RegExp(`[^\\x00-\\x1f\\x7f]+|${ESCAPE}(?:\\[[\\d;]*[A-Za-z~]|O[A-Za-z]|.)|[^]`, "y");

/** A shell in a terminal. */
export class EmbeddedTerminal implements SandboxProcess {
  readonly ended: Promise<ProcessEnd>;
  readonly #end: (end: ProcessEnd) => void;
  readonly #run: RunLine;
  readonly #listener: ProcessListener;
  readonly #decoder = new TextDecoder();
  #env: Readonly<Record<string, string>>;
  #line = "";
  /** Lines of a command that isn't complete yet. */
  #begun = "";
  /** Typed, and not yet looked at. */
  #typed = "";
  /** Printed in this turn. */
  #shown = "";
  #running: AbortController | undefined;
  #lastCode = 0;
  #over = false;

  constructor(
    command: ProcessCommand,
    size: TerminalSize,
    { listener, run }: { listener: ProcessListener; run: RunLine },
  ) {
    this.#listener = listener;
    this.#run = run;
    const { promise, resolve } = Promise.withResolvers<ProcessEnd>();
    this.ended = promise;
    this.#end = resolve;
    this.#env = { ...command.env, PWD: command.cwd ?? HOME, ...variablesOf(size) };
    const program = [command.command, ...command.args];
    if (program.length === 1 && /(?:^|\/)(?:ba)?sh$/.test(command.command)) this.#print(PROMPT);
    else void this.#runProgram(program);
  }

  async write(data: Uint8Array): Promise<void> {
    if (this.#over) throw processErrors.stdinClosed();
    if (this.#typed.length + data.byteLength > limits.processStdinBytes)
      throw processErrors.stdinFull(limits.processStdinBytes);
    this.#typed += this.#decoder.decode(data, { stream: true });
    this.#look();
  }

  /** Nobody types any more. */
  closeStdin(): void {
    this.kill("SIGHUP");
  }

  resize(size: TerminalSize): void {
    this.#env = { ...this.#env, ...variablesOf(size) };
  }

  kill(signal: ProcessSignal): void {
    if (this.#over) return;
    if (interrupts.has(signal)) return this.#interrupt();
    this.#show();
    this.#over = true;
    this.#running?.abort();
    this.#end({ exitCode: 128 + processSignals[signal], signal });
  }

  #look(): void {
    while (this.#typed !== "" && !this.#over) {
      // Ctrl-C is for what runs, whatever was typed before it.
      if (this.#running !== undefined) {
        const at = this.#typed.lastIndexOf("\x03");
        if (at === -1) return;
        this.#typed = this.#typed.slice(at + 1);
        this.#interrupt();
        return;
      }
      keys.lastIndex = 0;
      const [key = ""] = keys.exec(this.#typed) ?? [];
      this.#typed = this.#typed.slice(key.length);
      this.#press(key);
    }
  }

  #press(key: string): void {
    switch (key) {
      case "\r":
      case "\n":
        this.#print("\r\n");
        void this.#enter();
        return;
      case "\x03":
        this.#interrupt();
        return;
      case "\x04":
        if (this.#line === "") this.#endOfTyping();
        return;
      case "\x7f":
      case "\b":
        if (this.#line !== "") this.#print("\b \b");
        this.#line = [...this.#line].slice(0, -1).join("");
        return;
      case "\x15":
        this.#print("\b \b".repeat([...this.#line].length));
        this.#line = "";
        return;
      default:
        if (key >= " ") this.#take(key);
    }
  }

  /** As in a terminal of the system, what goes beyond a full line isn't taken. */
  #take(characters: string): void {
    const taken = characters.slice(0, limits.processStdinBytes - this.#begun.length - this.#line.length);
    this.#line += taken;
    this.#print(taken.length < characters.length ? `${taken}${BELL}` : taken);
  }

  #interrupt(): void {
    this.#print("^C\r\n");
    this.#line = "";
    this.#begun = "";
    if (this.#running === undefined) this.#print(PROMPT);
    else this.#running.abort();
  }

  /** A command that isn't complete never will be. */
  #endOfTyping(): void {
    if (this.#begun === "") return this.#leave(this.#lastCode);
    this.#begun = "";
    this.#print(`\r\nbash: syntax error: unexpected end of file\r\n${PROMPT}`);
  }

  async #enter(): Promise<void> {
    const line = this.#begun + this.#line;
    this.#line = "";
    const leaving = this.#begun === "" ? exitLine.exec(line) : null;
    if (leaving !== null) return this.#leave(Number(leaving.groups?.code ?? this.#lastCode) & 0xff);
    const isWhole = await this.#runLine(line);
    if (this.#over) return;
    this.#begun = isWhole ? "" : `${line}\n`;
    this.#print(isWhole ? PROMPT : MORE);
    this.#look();
  }

  async #runProgram(program: readonly string[]): Promise<void> {
    await this.#runLine(program.map(shellWord).join(" "));
    this.#leave(this.#lastCode);
  }

  /** False: more must come before it can run. */
  async #runLine(line: string): Promise<boolean> {
    const running = new AbortController();
    this.#running = running;
    try {
      const [env, lastExitCode] = [this.#env, this.#lastCode];
      const result = await this.#run({ line, env, lastExitCode }, running.signal);
      if (running.signal.aborted || this.#over) return true;
      if (result.incomplete === true) return false;
      // A line with nothing on it is no command.
      if (line.trim() !== "") this.#lastCode = result.exitCode;
      this.#env = { ...result.env, ...this.#sizes() };
      for (const output of [result.stdout, result.stderr])
        if (output.byteLength > 0) this.#print(new TextDecoder().decode(output).replace(/\r?\n/g, "\r\n"));
    } catch (cause) {
      this.#lastCode = 128 + processSignals.SIGINT;
      if (!running.signal.aborted)
        this.#print(`${cause instanceof Error ? cause.message : String(cause)}\r\n`);
    } finally {
      this.#running = undefined;
    }
    return true;
  }

  /** As they are now: it may have been resized meanwhile. */
  #sizes(): Record<string, string> {
    const { LINES = "", COLUMNS = "" } = this.#env;
    return { LINES, COLUMNS };
  }

  #leave(exitCode: number): void {
    if (this.#over) return;
    this.#show();
    this.#over = true;
    this.#end({ exitCode });
  }

  #print(text: string): void {
    if (this.#over) return;
    if (this.#shown === "") queueMicrotask(() => this.#show());
    this.#shown += text;
  }

  #show(): void {
    const shown = this.#shown;
    this.#shown = "";
    if (shown !== "") void this.#listener("stdout", new TextEncoder().encode(shown));
  }
}

function variablesOf({ cols, rows }: TerminalSize): Record<string, string> {
  return { COLUMNS: String(cols), LINES: String(rows) };
}
