/** A shell for people, in the agent's sandbox: one command line after the other. */

import { byId, make } from "./dom.ts";
import type { Workspace } from "./main.ts";

const HOME = "/home/user";
/** Between what a command printed and where it left the shell. */
const MARK = "\u001e";

export class Terminal {
  readonly #workspace: Workspace;
  readonly #screen = byId("screen", HTMLDivElement);
  readonly #where = byId("where", HTMLLabelElement);
  readonly #input = byId("command", HTMLInputElement);
  readonly #changed: () => void;
  readonly #history: string[] = [];
  #at = 0;
  #cwd = HOME;

  constructor(workspace: Workspace, changed: () => void) {
    this.#workspace = workspace;
    this.#changed = changed;
    byId("shell", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#run(this.#input.value);
    });
    this.#input.addEventListener("keydown", ({ key }) => {
      if (key === "ArrowUp") this.#recall(this.#at - 1);
      if (key === "ArrowDown") this.#recall(this.#at + 1);
    });
  }

  async #run(command: string): Promise<void> {
    if (command.trim() === "") return;
    this.#history.push(command);
    this.#at = this.#history.length;
    this.#input.value = "";
    this.#input.disabled = true;
    this.#print("command", `${this.#prompt} ${command}`);
    try {
      const line = `${command}\ncode=$?; printf '\\036%s' "$PWD"; exit $code`;
      const { stdout, stderr } = await this.#workspace.exec(line, { cwd: this.#cwd, timeoutMs: 30_000 });
      const [printed = "", cwd] = stdout.split(MARK);
      if (cwd !== undefined && cwd !== "") this.#cwd = cwd;
      this.#print("output", printed);
      this.#print("error", stderr);
    } catch (cause) {
      this.#print("error", cause instanceof Error ? cause.message : String(cause));
    }
    this.#where.textContent = this.#prompt;
    this.#input.disabled = false;
    this.#input.focus();
    this.#changed();
  }

  get #prompt(): string {
    return `${this.#cwd.replace(HOME, "~")} $`;
  }

  #recall(at: number): void {
    if (at < 0 || at > this.#history.length) return;
    this.#at = at;
    this.#input.value = this.#history[at] ?? "";
  }

  #print(kind: string, text: string): void {
    if (text === "") return;
    this.#screen.append(make("pre", { class: kind }, text.replace(/\n$/, "")));
    this.#screen.scrollTop = this.#screen.scrollHeight;
  }
}
