/**
 * OutputTap: what a command prints, byte by byte.
 *
 * The result of a script is text: just-bash decodes what was printed as UTF-8. Its pipes carry bytes. So a command whose bytes are
 * wanted has a pipe behind it, and at the end of that a command of ours.
 */
import type { Bash, BashExecResult, CustomCommand, ExecOptions } from "just-bash";

/** The command at the pipe's end. */
const NAME = "troupe-output";

/** One shell's tap. */
export class OutputTap {
  /** For the shell that is to have it. */
  readonly command: CustomCommand = {
    name: NAME,
    execute: async (_args, { stdin }) => {
      this.#taken = Buffer.from(String(stdin), "latin1");
      return { stdout: "", stderr: "", exitCode: 0 };
    },
  };
  #taken: Uint8Array | undefined;

  /** Runs a command; `stdout` are its bytes. A command that ends without one, as by a wrong word, has printed nothing. */
  async run(
    bash: Bash,
    command: string,
    options: ExecOptions,
  ): Promise<Pick<BashExecResult, "exitCode" | "stderr"> & { readonly stdout: Uint8Array }> {
    this.#taken = undefined;
    // The pipe's own end is never the command's: that is the first of its statuses.
    const { exitCode, stderr } = await bash.exec(`${command} | ${NAME}; exit \${PIPESTATUS[0]}`, options);
    return { exitCode, stderr, stdout: this.#taken ?? new Uint8Array() };
  }
}
