/**
 * A shell for people, in the agent's sandbox, in a terminal that all tabs share.
 *
 * The shell is the workspace's, not the page's: whoever comes late, or again, reads what it has shown from the beginning, by cursor, and
 * then follows. What came over the connection twice, or out of turn, is told by its sequence.
 */
import { byId, make } from "../../chat-room/page/dom.ts";
import type { Workspace } from "./main.ts";
import { TerminalCodes } from "./terminal-codes.ts";
import { bytesOfKey } from "./terminal-keys.ts";
import { type Row, TerminalScreen } from "./terminal-screen.ts";

/** What a command changed is looked at when it has been still for so long. */
const STILL_MS = 300;

export class Terminal {
  readonly #workspace: Workspace;
  readonly #view = byId("screen", HTMLDivElement);
  readonly #input = byId("typing", HTMLTextAreaElement);
  readonly #changed: () => void;
  #screen = new TerminalScreen(80, 24);
  #codes = new TerminalCodes(this.#screen, (text) => this.#type(text));
  #shellId: string | undefined;
  /** The last that was shown; what is behind it is shown when all before it was. */
  #shown = 0;
  #catching: Promise<void> | undefined;
  #ended = false;
  #drawing = false;
  #still: ReturnType<typeof setTimeout> | undefined;
  /** Rows as they were drawn last, by their place. */
  readonly #drawn: { row: Row; cursor: number; element: HTMLElement }[] = [];

  constructor(workspace: Workspace, changed: () => void) {
    this.#workspace = workspace;
    this.#changed = changed;
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
    this.#listen();
    new ResizeObserver(() => this.#fit()).observe(this.#view);
    this.#catchUp();
  }

  #listen(): void {
    this.#view.addEventListener("click", () => {
      if (getSelection()?.isCollapsed !== false) this.#input.focus({ preventScroll: true });
    });
    this.#input.addEventListener("keydown", (event) => {
      const bytes = event.isComposing ? undefined : bytesOfKey(event, this.#codes.applicationKeys);
      if (bytes === undefined) return;
      event.preventDefault();
      this.#type(bytes);
    });
    this.#input.addEventListener("input", (event) => {
      if (event instanceof InputEvent && event.isComposing) return;
      this.#type(this.#input.value.replaceAll("\n", "\r"));
      this.#input.value = "";
    });
  }

  #type(text: string): void {
    if (this.#ended) return this.#again();
    if (this.#shellId === undefined || text === "") return;
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
  }

  /** The one that runs, or a new one: when two tabs open one at once, the first stays. */
  async #shell(): Promise<string> {
    const running = async () => (await this.#workspace.listShells()).find(({ running }) => running)?.shellId;
    const known = await running();
    if (known !== undefined) return known;
    const { shellId } = await this.#workspace.openShell(this.#size());
    const first = (await running()) ?? shellId;
    if (first !== shellId) await this.#workspace.closeShell(shellId);
    return first;
  }

  #begin(shellId: string): void {
    const { cols, rows } = this.#size();
    this.#shellId = shellId;
    this.#shown = 0;
    this.#ended = false;
    this.#screen = new TerminalScreen(cols, rows);
    this.#codes = new TerminalCodes(this.#screen, (text) => this.#type(text));
    this.#workspace.resizeShell(shellId, cols, rows).catch(() => undefined);
  }

  /** Somebody may like another one. */
  #again(): void {
    this.#shellId = undefined;
    this.#catchUp();
  }

  #over(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#codes.take(
      new TextEncoder().encode("\r\n\u001b[2mThe shell has ended. Any key opens another.\u001b[0m"),
    );
    this.#draw();
  }

  #show(sequence: number, data: Uint8Array): void {
    if (sequence <= this.#shown) return;
    this.#shown = sequence;
    this.#codes.take(data);
    this.#draw();
    clearTimeout(this.#still);
    this.#still = setTimeout(this.#changed, STILL_MS);
  }

  /** How many characters there is room for. */
  #size(): { cols: number; rows: number } {
    const probe = make("span", { class: "probe" }, "0".repeat(100));
    this.#view.append(probe);
    const { width, height } = probe.getBoundingClientRect();
    probe.remove();
    const { paddingLeft, paddingTop } = getComputedStyle(this.#view);
    const room = (size: number, padding: string) => size - 2 * Number.parseFloat(padding);
    return {
      cols: Math.max(Math.floor(room(this.#view.clientWidth, paddingLeft) / (width / 100)), 20),
      rows: Math.max(Math.floor(room(this.#view.clientHeight, paddingTop) / height), 4),
    };
  }

  #fit(): void {
    const { cols, rows } = this.#size();
    if (cols === this.#screen.cols && rows === this.#screen.height) return;
    this.#screen.resize(cols, rows);
    this.#draw();
    if (this.#shellId !== undefined)
      this.#workspace.resizeShell(this.#shellId, cols, rows).catch(() => undefined);
  }

  /** Many pieces come at once; they are drawn once. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#drawRows();
    });
  }

  #drawRows(): void {
    const { history, rows, x, y, cursorVisible } = this.#screen;
    const all = [...history, ...rows];
    const end = this.#view.scrollTop + this.#view.clientHeight >= this.#view.scrollHeight - 4;
    for (const old of this.#drawn.splice(all.length)) old.element.remove();
    for (const [at, row] of all.entries()) {
      const cursor = cursorVisible && !this.#ended && at === history.length + y ? x : -1;
      const old = this.#drawn[at];
      if (old !== undefined && old.row === row && old.cursor === cursor) continue;
      const element = make("div", { class: "row" }, ...piecesOf(row, cursor));
      if (old === undefined) this.#view.append(element);
      else old.element.replaceWith(element);
      this.#drawn[at] = { row, cursor, element };
    }
    if (end) this.#view.scrollTop = this.#view.scrollHeight;
  }
}

/** Neighbours of one style are one piece. */
function piecesOf(row: Row, cursor: number): HTMLElement[] {
  const pieces: { text: string; style: string }[] = [];
  const length = Math.max(row.length, cursor + 1);
  for (let x = 0; x < length; x += 1) {
    const { text, style: own } = row[x] ?? { text: " ", style: "" };
    const style = x === cursor ? `${own} cursor`.trim() : own;
    const last = pieces.at(-1);
    if (last !== undefined && last.style === style) last.text += text;
    else pieces.push({ text, style });
  }
  return pieces.map(({ text, style }) => make("span", { class: style === "" ? undefined : style }, text));
}
