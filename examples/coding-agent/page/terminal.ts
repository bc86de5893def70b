/**
 * A shell for people, in the agent's sandbox, in a terminal that all tabs share.
 *
 * The shell is the workspace's, not the page's: whoever comes late, or again, reads what it has shown from the beginning, by cursor, and
 * then follows. What came over the connection twice, or out of turn, is told by its sequence.
 */
import { FitAddon } from "@xterm/addon-fit";
import { type ITheme, Terminal as Screen } from "@xterm/xterm";
import { byId } from "../../chat-room/page/dom.ts";
import type { Workspace } from "./main.ts";

/** What a command changed is looked at when it has been still for so long. */
const STILL_MS = 300;

const ENDED = "\r\n\u001b[2mThe shell has ended. Any key opens another.\u001b[0m";

export class Terminal {
  readonly #workspace: Workspace;
  readonly #changed: () => void;
  readonly #view = byId("screen", HTMLDivElement);
  readonly #screen = new Screen({ fontSize: 12.5, lineHeight: 1.25, scrollback: 2_000 });
  readonly #fit = new FitAddon();
  #shellId: string | undefined;
  /** The last that was shown; what is behind it is shown when all before it was. */
  #shown = 0;
  #catching: Promise<void> | undefined;
  #ended = false;
  #still: ReturnType<typeof setTimeout> | undefined;

  constructor(workspace: Workspace, changed: () => void) {
    this.#workspace = workspace;
    this.#changed = changed;
    this.#open();
    workspace.on("shellData", ({ shellId, sequence, data }) => {
      if (shellId !== this.#shellId) return;
      if (sequence === this.#shown + 1) this.#show(sequence, data);
      else if (sequence > this.#shown) this.#catchUp();
    });
    workspace.on("shellExit", ({ shellId }) => {
      if (shellId === this.#shellId) this.#over();
    });
    workspace.onStatusChange((status) => {
      if (status === "connected") this.#catchUp();
    });
    this.#catchUp();
  }

  #open(): void {
    const screen = this.#screen;
    screen.options.fontFamily = getComputedStyle(this.#view).fontFamily;
    screen.loadAddon(this.#fit);
    screen.open(this.#view);
    // Shift-Tab leaves the terminal, for whoever has no mouse.
    screen.attachCustomKeyEventHandler(({ key, shiftKey }) => key !== "Tab" || !shiftKey);
    screen.onData((text) => this.#type(text));
    screen.onResize((size) => this.#resize(size));
    new ResizeObserver(() => this.#fit.fit()).observe(this.#view);
    const dress = (): void => {
      screen.options.theme = themeOf(this.#view);
    };
    dress();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dress);
  }

  #type(text: string): void {
    // Programs ask terminals what they are: what has been shown before was answered then, and one tab answers for all.
    if (this.#catching !== undefined || !document.hasFocus()) return;
    if (this.#ended) this.#again();
    else if (this.#shellId !== undefined)
      this.#workspace.writeShell(this.#shellId, text).catch(() => this.#catchUp());
  }

  /** Shows all that there is, of the shell that there is. Whoever asks meanwhile waits for the same. */
  #catchUp(): void {
    this.#catching ??= this.#read()
      .catch(() => undefined)
      .finally(() => {
        this.#catching = undefined;
      });
  }

  async #read(): Promise<void> {
    const shellId = await this.#shell();
    if (shellId !== this.#shellId) this.#begin(shellId);
    for (let more = true; more; ) {
      const page = await this.#workspace.readShellOutput({ shellId, after: this.#shown });
      for (const { sequence, data } of page.events) this.#show(sequence, data);
      more = page.hasMore;
      if (page.end) this.#over();
    }
    // What is written is read a little later.
    await new Promise<void>((resolve) => this.#screen.write("", resolve));
  }

  /** The one that runs, or a new one: when two tabs open one at once, the first stays. */
  async #shell(): Promise<string> {
    const running = async () => (await this.#workspace.listShells()).find(({ running }) => running)?.shellId;
    const known = await running();
    if (known !== undefined) return known;
    const { cols, rows } = this.#screen;
    const { shellId } = await this.#workspace.openShell({ cols, rows });
    const first = (await running()) ?? shellId;
    if (first !== shellId) await this.#workspace.closeShell(shellId);
    return first;
  }

  #begin(shellId: string): void {
    this.#shellId = shellId;
    this.#shown = 0;
    this.#ended = false;
    this.#screen.reset();
    this.#resize(this.#screen);
  }

  #resize({ cols, rows }: { readonly cols: number; readonly rows: number }): void {
    if (this.#shellId !== undefined)
      this.#workspace.resizeShell(this.#shellId, cols, rows).catch(() => undefined);
  }

  /** Somebody may like another one. */
  #again(): void {
    this.#shellId = undefined;
    this.#catchUp();
  }

  #over(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#screen.write(ENDED);
  }

  #show(sequence: number, data: Uint8Array): void {
    if (sequence <= this.#shown) return;
    this.#shown = sequence;
    this.#screen.write(data);
    clearTimeout(this.#still);
    this.#still = setTimeout(this.#changed, STILL_MS);
  }
}

/** The page's colours, as they are now. The bright ones are the same. */
function themeOf(view: HTMLElement): ITheme {
  const probe = view.appendChild(document.createElement("i"));
  const colour = (name: string): string => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const theme: ITheme = {
    background: colour("sheet"),
    foreground: colour("ink"),
    cursor: colour("accent"),
    cursorAccent: colour("accent-ink"),
    selectionBackground: colour("mine"),
    black: colour("t-black"),
    red: colour("t-red"),
    green: colour("t-green"),
    yellow: colour("t-yellow"),
    blue: colour("t-blue"),
    magenta: colour("t-magenta"),
    cyan: colour("t-cyan"),
    white: colour("t-white"),
    brightBlack: colour("t-grey"),
    brightRed: colour("t-red"),
    brightGreen: colour("t-green"),
    brightYellow: colour("t-yellow"),
    brightBlue: colour("t-blue"),
    brightMagenta: colour("t-magenta"),
    brightCyan: colour("t-cyan"),
    brightWhite: colour("ink"),
  };
  probe.remove();
  return theme;
}
