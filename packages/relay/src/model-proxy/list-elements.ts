/**
 * ListElements: the elements of one list in JSON while it comes, cut in any place, with what stands between them, so that all of it
 * together is what came. What is no such list throws: who takes it for something else would read what nobody here was shown.
 */

import { limits } from "@troupe/protocol";
import { proxyErrors } from "./errors.ts";

/** Told of an element. `before`: what stands between it and the one before it; the list's beginning, of the first. */
export type ElementEar = (json: string, before: string) => void;

const spaces: ReadonlySet<string> = new Set([" ", "\t", "\n", "\r"]);
const BYTE_ORDER_MARK = "\uFEFF";

/** Where the next sign stands: in front of the list, of its first element, in one, behind one, behind a comma, behind the list. */
type Place = "list" | "first" | "within" | "next" | "comma" | "behind";

/** One list. */
export class ListElements {
  readonly #ear: ElementEar;
  #place: Place = "list";
  /** What came and was told to nobody yet. */
  #pending = "";
  #before = "";
  /** Lists and objects that are open in an element; 0: it is a string, or has no sign that closes it. */
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  constructor(ear: ElementEar) {
    this.#ear = ear;
  }

  /** What stands behind the last element; undefined: the list hasn't ended. */
  get last(): string | undefined {
    return this.#place === "behind" ? this.#pending : undefined;
  }

  /** Takes what comes next. Throws where it is no list in JSON, and `gateway.chunk_unshown` where a part of it has no end. */
  add(text: string): void {
    let from = 0;
    const taken = (end: number): string => {
      const part = this.#pending + text.slice(from, end);
      this.#pending = "";
      from = end;
      return part;
    };
    for (let at = 0; at < text.length; at += 1) {
      const sign = text[at] ?? "";
      if (this.#place === "within") {
        const read = this.#read(sign);
        if (read === "more") continue;
        this.#place = "next";
        this.#ear(taken(read === "last" ? at + 1 : at), this.#before);
        if (read === "last") continue;
      }
      if (!this.#begins(sign)) continue;
      this.#before = taken(at);
      this.#place = "within";
      this.#depth = sign === "{" || sign === "[" ? 1 : 0;
      this.#inString = sign === '"';
    }
    this.#pending += text.slice(from);
    const { gatewayChunkCharacters: most } = limits;
    if (this.#pending.length > most) throw proxyErrors.chunkTooLong(most);
  }

  /** True for the first sign of an element. */
  #begins(sign: string): boolean {
    if (spaces.has(sign)) return false;
    const place = this.#place;
    if (place === "list" && sign === BYTE_ORDER_MARK) return false;
    if (place === "list" && sign === "[") this.#place = "first";
    else if (place === "next" && sign === ",") this.#place = "comma";
    else if ((place === "first" || place === "next") && sign === "]") this.#place = "behind";
    else if ((place === "first" || place === "comma") && sign !== "," && sign !== "]") return true;
    else throw new SyntaxError("What was asked for as a list in JSON is none");
    return false;
  }

  /** Of an element: "last" is its last sign, "past" the one behind that. */
  #read(sign: string): "more" | "last" | "past" {
    if (this.#inString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (sign === "\\") this.#isEscaped = true;
      else if (sign === '"') this.#inString = false;
      return this.#inString || this.#depth > 0 ? "more" : "last";
    }
    if (this.#depth === 0) return spaces.has(sign) || sign === "," || sign === "]" ? "past" : "more";
    if (sign === '"') this.#inString = true;
    else if (sign === "{" || sign === "[") this.#depth += 1;
    else if (sign === "}" || sign === "]") this.#depth -= 1;
    return this.#depth === 0 ? "last" : "more";
  }
}
