/** Where messages are written. Enter sends; with Shift it begins a line. */
import { byId } from "./dom.ts";

const TYPING_EVERY_MS = 1_500;

export class Composer {
  readonly #form = byId("composer", HTMLFormElement);
  readonly #input: HTMLTextAreaElement;
  readonly #send: (text: string) => void;
  readonly #type: () => void;
  #typedAt = 0;

  constructor(parts: { send: (text: string) => void; type: () => void }) {
    this.#send = parts.send;
    this.#type = parts.type;
    const input = this.#form.querySelector("textarea");
    if (input === null) throw new Error("The composer has no textarea");
    this.#input = input;
    input.addEventListener("input", () => this.#changed());
    input.addEventListener("keydown", (event) => {
      // While a word is being composed (Japanese, Chinese, …) Enter belongs to the keyboard.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#submit();
    });
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /** For the room that is shown now. */
  show(room: string): void {
    this.#input.placeholder = `Message ${room}`;
  }

  focus(): void {
    this.#input.focus();
  }

  #submit(): void {
    const text = this.#input.value.trim();
    if (text === "") return;
    this.#input.value = "";
    this.#typedAt = 0;
    this.#fit();
    this.#send(text);
    this.#input.focus();
  }

  #changed(): void {
    this.#fit();
    const now = Date.now();
    if (this.#input.value.trim() === "" || now - this.#typedAt < TYPING_EVERY_MS) return;
    this.#typedAt = now;
    this.#type();
  }

  /** As high as its text; the style sheet says how high at most. */
  #fit(): void {
    this.#input.style.height = "auto";
    this.#input.style.height = `${this.#input.scrollHeight}px`;
  }
}
