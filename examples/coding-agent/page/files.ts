/** The files of the sandbox as a tree, and one of them to read. */

import { byId, ChildList, make } from "../../chat-room/page/dom.ts";
import type { Workspace } from "./main.ts";

const HOME = "/home/user";

export class Files {
  readonly #workspace: Workspace;
  readonly #list = new ChildList(byId("files", HTMLUListElement));
  readonly #none = byId("no-files", HTMLParagraphElement);
  readonly #viewer = document.querySelector<HTMLElement>(".viewer");
  readonly #title = byId("viewer-title", HTMLHeadingElement);
  readonly #text = byId("viewer-text", HTMLPreElement);
  #shown: string | undefined;
  #reading = false;
  #again = false;

  constructor(workspace: Workspace) {
    this.#workspace = workspace;
    byId("viewer-close", HTMLButtonElement).addEventListener("click", () => {
      this.#shown = undefined;
      if (this.#viewer !== null) this.#viewer.hidden = true;
    });
  }

  /** Reads the tree anew, once at a time however often it is asked for. */
  async refresh(): Promise<void> {
    this.#again = true;
    if (this.#reading) return;
    this.#reading = true;
    try {
      while (this.#again) {
        this.#again = false;
        await this.#read();
      }
    } finally {
      this.#reading = false;
    }
  }

  async #read(): Promise<void> {
    const entries = (await this.#workspace.exists(HOME)) ? await this.#workspace.readdirRecursive(HOME) : [];
    const sorted = entries.toSorted((one, other) => (one.path < other.path ? -1 : 1));
    this.#none.hidden = sorted.length > 0;
    this.#list.show(
      sorted.map(({ path, type }) => ({ key: path, look: type, make: () => this.#row(path, type) })),
    );
    if (this.#shown !== undefined) await this.#open(this.#shown);
  }

  #row(path: string, type: string): HTMLElement {
    const inside = path.slice(HOME.length + 1).split("/");
    const name = inside.at(-1) ?? "";
    const depth = make("span", { class: `depth-${Math.min(inside.length - 1, 6)}` });
    if (type === "directory") return make("li", {}, depth, make("span", { class: "folder" }, `${name}/`));
    const button = make("button", { type: "button", title: path }, name);
    button.addEventListener("click", () => void this.#open(path));
    return make("li", {}, depth, button);
  }

  async #open(path: string): Promise<void> {
    this.#shown = path;
    try {
      const bytes = await this.#workspace.readFile(path);
      this.#text.textContent = new TextDecoder().decode(bytes);
    } catch {
      this.#text.textContent = "It isn't there any more.";
    }
    this.#title.textContent = path.slice(HOME.length + 1);
    if (this.#viewer !== null) this.#viewer.hidden = false;
  }
}
