/** What programs send to terminals: text, and codes that move the cursor, erase and colour. Codes that mean nothing here are left out. */
import type { TerminalScreen } from "./terminal-screen.ts";

const ESCAPE = "\u001b";
/** A whole code: of a cursor or a colour, of a title, or of one or two letters. */
const code = new RegExp(
  `^${ESCAPE}(?:\\[(?<mark>[?>=!]?)(?<numbers>[\\d;:]*)[ -/]*(?<end>[@-~])|\\][^\\u0007${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)|[()*+#%].|(?<letter>[0-Z^-~\\\\]))`,
);
/** The beginning of one, when no more has come yet. Longer than that is none. */
const unfinished = new RegExp(`^${ESCAPE}(?:\\[[?>=!]?[\\d;:]*[ -/]*|\\][^\\u0007]*|[()*+#%])?$`);
const MOST_OF_A_CODE = 4_096;

/** Reads what a program sends onto a screen. */
export class TerminalCodes {
  readonly #screen: TerminalScreen;
  readonly #reply: (text: string) => void;
  readonly #decoder = new TextDecoder();
  #rest = "";
  /** Arrow keys are sent in another form. */
  applicationKeys = false;

  /** `reply`: what a terminal answers by itself. */
  constructor(screen: TerminalScreen, reply: (text: string) => void) {
    this.#screen = screen;
    this.#reply = reply;
  }

  take(data: Uint8Array): void {
    let text = this.#rest + this.#decoder.decode(data, { stream: true });
    this.#rest = "";
    while (text !== "") {
      const found = code.exec(text);
      if (found !== null) {
        this.#code(found);
        text = text.slice(found[0].length);
      } else if (text.length < MOST_OF_A_CODE && unfinished.test(text)) {
        this.#rest = text;
        return;
      } else {
        const character = String.fromCodePoint(text.codePointAt(0) ?? 0);
        this.#character(character);
        text = text.slice(character.length);
      }
    }
  }

  #character(character: string): void {
    const screen = this.#screen;
    if (character === "\n" || character === "\v" || character === "\f") screen.newLine();
    else if (character === "\r") screen.moveTo(0, screen.y);
    else if (character === "\b") screen.moveTo(screen.x - 1, screen.y);
    else if (character === "\t") screen.tab();
    else if (character >= " " && character !== "\u007f") screen.write(character);
  }

  #code(found: RegExpExecArray): void {
    const { mark = "", numbers = "", end, letter } = found.groups ?? {};
    const given = numbers === "" ? [] : numbers.split(/[;:]/).map(Number);
    if (letter !== undefined) this.#letter(letter);
    else if (end === undefined) return;
    else if (mark === "?") this.#mode(given, end);
    else if (mark === "") this.#control(end, given);
  }

  #letter(letter: string): void {
    const screen = this.#screen;
    if (letter === "7") screen.save();
    else if (letter === "8") screen.restore();
    else if (letter === "D") screen.newLine();
    else if (letter === "M") screen.reverseLine();
    else if (letter === "E") {
      screen.newLine();
      screen.moveTo(0, screen.y);
    }
  }

  #mode(modes: readonly number[], end: string): void {
    if (end !== "h" && end !== "l") return;
    for (const mode of modes) {
      if (mode === 1) this.applicationKeys = end === "h";
      else if (mode === 25) this.#screen.cursorVisible = end === "h";
      else if (mode === 47 || mode === 1047 || mode === 1049) this.#screen.alternate(end === "h");
    }
  }

  #control(end: string, given: readonly number[]): void {
    if (end === "m") this.#screen.style = styleOf(this.#screen.style, given);
    else if (end === "n" && given[0] === 6)
      this.#reply(`${ESCAPE}[${this.#screen.y + 1};${this.#screen.x + 1}R`);
    else if (end === "c") this.#reply(`${ESCAPE}[?1;2c`);
    else if (!this.#move(end, given)) this.#change(end, given);
  }

  #move(end: string, [first = 0, second = 0]: readonly number[]): boolean {
    const screen = this.#screen;
    const by = Math.max(first, 1);
    const places: Readonly<Record<string, readonly [x: number, y: number]>> = {
      A: [screen.x, screen.y - by],
      B: [screen.x, screen.y + by],
      C: [screen.x + by, screen.y],
      D: [screen.x - by, screen.y],
      E: [0, screen.y + by],
      F: [0, screen.y - by],
      G: [by - 1, screen.y],
      "`": [by - 1, screen.y],
      d: [screen.x, by - 1],
      H: [second - 1, by - 1],
      f: [second - 1, by - 1],
    };
    const place = places[end];
    if (place !== undefined) screen.moveTo(...place);
    return place !== undefined;
  }

  #change(end: string, [first = 0, second = 0]: readonly number[]): void {
    const screen = this.#screen;
    const by = Math.max(first, 1);
    if (end === "J") this.#erase(first);
    else if (end === "K")
      screen.eraseCells(first === 0 ? screen.x : 0, first === 1 ? screen.x + 1 : screen.cols);
    else if (end === "X") screen.eraseCells(screen.x, screen.x + by);
    else if (end === "L") screen.shiftRows(by);
    else if (end === "M") screen.shiftRows(-by);
    else if (end === "@") screen.shiftCells(by);
    else if (end === "P") screen.shiftCells(-by);
    else if (end === "S") screen.scroll(by);
    else if (end === "T") screen.scroll(-by);
    else if (end === "r") screen.region(by - 1, (second || screen.height) - 1);
    else if (end === "s") screen.save();
    else if (end === "u") screen.restore();
  }

  /** Below the cursor, above it, or all. */
  #erase(what: number): void {
    const screen = this.#screen;
    if (what === 0) {
      screen.eraseCells(screen.x, screen.cols);
      screen.eraseRows(screen.y + 1, screen.height);
    } else if (what === 1) {
      screen.eraseCells(0, screen.x + 1);
      screen.eraseRows(0, screen.y);
    } else if (what === 2) screen.eraseRows(0, screen.height);
    else screen.history.length = 0;
  }
}

const plain: Readonly<Record<number, string>> = {
  1: "bold",
  2: "faint",
  3: "italic",
  4: "underline",
  7: "inverse",
  9: "struck",
};
const undone: Readonly<Record<number, RegExp>> = {
  22: /^(bold|faint)$/,
  23: /^italic$/,
  24: /^underline$/,
  27: /^inverse$/,
  29: /^struck$/,
  39: /^fg-/,
  49: /^bg-/,
};

/** Sixteen colours have names in the page's style; of others the nearest of them is taken. */
function styleOf(style: string, given: readonly number[]): string {
  let names = style.split(" ").filter((name) => name !== "");
  const set = (name: string, instead: RegExp) => {
    names = [...names.filter((known) => !instead.test(known)), name];
  };
  const numbers = given.length === 0 ? [0] : [...given];
  while (numbers.length > 0) {
    const number = numbers.shift() ?? 0;
    const name = plain[number];
    const gone = undone[number];
    if (number === 0) names = [];
    else if (name !== undefined) set(name, new RegExp(`^${name}$`));
    else if (gone !== undefined) names = names.filter((known) => !gone.test(known));
    else if (number >= 30 && number <= 37) set(`fg-${number - 30}`, /^fg-/);
    else if (number >= 40 && number <= 47) set(`bg-${number - 40}`, /^bg-/);
    else if (number >= 90 && number <= 97) set(`fg-${number - 82}`, /^fg-/);
    else if (number >= 100 && number <= 107) set(`bg-${number - 92}`, /^bg-/);
    else if (number === 38 || number === 48) {
      const kind = number === 38 ? "fg-" : "bg-";
      set(`${kind}${indexed(numbers)}`, new RegExp(`^${kind}`));
    }
  }
  return names.join(" ");
}

/** Takes the rest of a colour of 256, or of red, green and blue. */
function indexed(numbers: number[]): number {
  if (numbers.shift() === 5) {
    const index = numbers.shift() ?? 0;
    if (index < 16) return index;
    if (index >= 232) return nearest(...grey(8 + 10 * (index - 232)));
    const [red, green, blue] = [
      Math.floor((index - 16) / 36),
      Math.floor((index - 16) / 6) % 6,
      (index - 16) % 6,
    ];
    return nearest(51 * red, 51 * green, 51 * blue);
  }
  const [red = 0, green = 0, blue = 0] = numbers.splice(0, 3);
  return nearest(red, green, blue);
}

function grey(light: number): [number, number, number] {
  return [light, light, light];
}

function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue);
  if (most < 64) return 0;
  const bit = (light: number) => (light > most / 2 ? 1 : 0);
  return bit(red) + 2 * bit(green) + 4 * bit(blue) + (most > 192 ? 8 : 0);
}
