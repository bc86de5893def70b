/**
 * What a terminal shows: rows of cells, a cursor, and a style for what is written next. Rows that have left at the top are kept for a
 * while. A second set of rows without history is for full-screen programs.
 */

/** One place on the screen. */
export interface Cell {
  readonly text: string;
  /** Names of CSS classes: "bold fg-2". */
  readonly style: string;
}

/** A row; a new object whenever something in it changes. */
export type Row = readonly Cell[];

const HISTORY = 2_000;
const BLANK: Cell = { text: " ", style: "" };

interface Page {
  rows: Row[];
  x: number;
  y: number;
}

/** A screen of so many columns and rows. */
export class TerminalScreen {
  cols: number;
  height: number;
  /** Names of CSS classes of what is written next. */
  style = "";
  cursorVisible = true;
  readonly history: Row[] = [];
  #page: Page = { rows: [], x: 0, y: 0 };
  #behind: Page | undefined;
  #saved = { x: 0, y: 0 };
  #top = 0;
  #bottom: number;

  constructor(cols: number, height: number) {
    this.cols = cols;
    this.height = height;
    this.#bottom = height - 1;
    this.#page.rows = this.#blankRows();
  }

  get rows(): readonly Row[] {
    return this.#page.rows;
  }

  get x(): number {
    return Math.min(this.#page.x, this.cols - 1);
  }

  get y(): number {
    return this.#page.y;
  }

  /** Rows that no longer fit go to the history; what is too long is cut. */
  resize(cols: number, height: number): void {
    this.cols = cols;
    for (const page of [this.#page, this.#behind]) {
      if (page === undefined) continue;
      const over = Math.max(page.y - height + 1, 0);
      const gone = page.rows.splice(0, over);
      if (page !== this.#page || this.#behind === undefined) this.#keep(gone);
      page.y -= over;
      page.x = Math.min(page.x, cols - 1);
      page.rows.length = Math.min(page.rows.length, height);
      while (page.rows.length < height) page.rows.push([]);
      page.rows = page.rows.map((row) => row.slice(0, cols));
    }
    this.height = height;
    this.#top = 0;
    this.#bottom = height - 1;
  }

  write(text: string): void {
    if (this.#page.x >= this.cols) {
      this.#page.x = 0;
      this.newLine();
    }
    this.#set(this.#page.x, { text, style: this.style });
    this.#page.x += 1;
  }

  newLine(): void {
    if (this.y === this.#bottom) this.scroll(1);
    else this.moveTo(this.#page.x, this.y + 1);
  }

  reverseLine(): void {
    if (this.y === this.#top) this.scroll(-1);
    else this.moveTo(this.#page.x, this.y - 1);
  }

  moveTo(x: number, y: number): void {
    this.#page.x = Math.max(Math.min(x, this.cols - 1), 0);
    this.#page.y = Math.max(Math.min(y, this.height - 1), 0);
  }

  tab(): void {
    this.moveTo(8 * (Math.floor(this.x / 8) + 1), this.y);
  }

  save(): void {
    this.#saved = { x: this.x, y: this.y };
  }

  restore(): void {
    this.moveTo(this.#saved.x, this.#saved.y);
  }

  /** The rows that scroll. */
  region(top: number, bottom: number): void {
    const whole = top < 0 || bottom >= this.height || top >= bottom;
    this.#top = whole ? 0 : top;
    this.#bottom = whole ? this.height - 1 : bottom;
    this.moveTo(0, 0);
  }

  /** Up by so many rows, or down. */
  scroll(by: number): void {
    const { rows } = this.#page;
    for (let n = 0; n < Math.min(Math.abs(by), this.height); n += 1) {
      const [from, to] = by > 0 ? [this.#top, this.#bottom] : [this.#bottom, this.#top];
      const gone = rows.splice(from, 1);
      rows.splice(to, 0, []);
      if (by > 0 && this.#top === 0 && this.#behind === undefined) this.#keep(gone);
    }
  }

  /** Opens rows at the cursor, or takes some away. */
  shiftRows(by: number): void {
    const top = this.#top;
    this.#top = this.y;
    this.scroll(-by);
    this.#top = top;
  }

  /** Opens room in the row, or takes some away. */
  shiftCells(by: number): void {
    const row = [...this.#full(this.y)];
    if (by > 0) row.splice(this.x, 0, ...Array<Cell>(Math.min(by, this.cols)).fill(BLANK));
    else row.splice(this.x, -by);
    this.#page.rows[this.y] = row.slice(0, this.cols);
  }

  /** Blanks a part of the cursor's row. */
  eraseCells(from: number, to: number): void {
    const blank = { ...BLANK, style: backgroundOf(this.style) };
    const row = this.#full(this.y).map((cell, x) => (x >= from && x < to ? blank : cell));
    this.#page.rows[this.y] = row;
  }

  /** Blanks whole rows. */
  eraseRows(from: number, to: number): void {
    for (let y = Math.max(from, 0); y < Math.min(to, this.height); y += 1) this.#page.rows[y] = [];
  }

  /** The rows of a full-screen program, or those behind it. */
  alternate(on: boolean): void {
    if (on === (this.#behind !== undefined)) return;
    if (this.#behind !== undefined) {
      this.#page = this.#behind;
      this.#behind = undefined;
    } else {
      this.#behind = this.#page;
      this.#page = { rows: this.#blankRows(), x: 0, y: 0 };
    }
    this.#top = 0;
    this.#bottom = this.height - 1;
  }

  #set(x: number, cell: Cell): void {
    const row = [...this.#full(this.y, x)];
    row[x] = cell;
    this.#page.rows[this.y] = row;
  }

  #full(y: number, length = this.cols): Row {
    const row = this.#page.rows[y] ?? [];
    return row.length >= length ? row : [...row, ...Array<Cell>(length - row.length).fill(BLANK)];
  }

  #blankRows(): Row[] {
    return Array.from({ length: this.height }, () => []);
  }

  #keep(rows: readonly Row[]): void {
    this.history.push(...rows);
    this.history.splice(0, this.history.length - HISTORY);
  }
}

function backgroundOf(style: string): string {
  return style
    .split(" ")
    .filter((name) => name.startsWith("bg-"))
    .join(" ");
}
