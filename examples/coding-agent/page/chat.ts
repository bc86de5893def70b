/** The conversation on the page, and where one writes. */

import { byId, ChildList, make } from "../../chat-room/page/dom.ts";
import type { Conversation, Doing, Item } from "./conversation.ts";

interface ChatActions {
  send(text: string): void;
  stop(): void;
  answer(requestId: string, optionId: string): void;
}

export class Chat {
  readonly #actions: ChatActions;
  readonly #log = byId("chat", HTMLDivElement);
  readonly #list: ChildList;
  readonly #welcome = byId("welcome", HTMLParagraphElement);
  readonly #send = byId("send", HTMLButtonElement);
  readonly #stop = byId("stop", HTMLButtonElement);

  constructor(actions: ChatActions) {
    this.#actions = actions;
    const items = make("div", { class: "items" });
    this.#log.append(items);
    this.#list = new ChildList(items);
    const form = byId("composer", HTMLFormElement);
    const input = form.querySelector("textarea");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = input?.value.trim() ?? "";
      if (input === null || text === "" || this.#send.disabled) return;
      input.value = "";
      actions.send(text);
    });
    input?.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.#stop.addEventListener("click", () => actions.stop());
    if (matchMedia("(hover: hover)").matches) input?.focus();
  }

  show({ items }: Conversation, working: boolean): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    // Who reads further up is left there.
    const following = scrollHeight - scrollTop - clientHeight < 60;
    this.#welcome.hidden = items.length > 0;
    this.#list.show([
      ...items.map((item) => ({ key: item.key, look: JSON.stringify(item), make: () => this.#make(item) })),
      ...(working && !items.some(isOpen)
        ? [{ key: "working", look: "", make: () => make("p", { class: "working" }, "Working…") }]
        : []),
    ]);
    this.#send.disabled = working;
    this.#send.hidden = working;
    this.#stop.hidden = !working;
    if (following) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #make(item: Item): HTMLElement {
    if (item.kind !== "tool") return make("p", { class: item.kind }, item.text);
    const { title, status, output, question } = item;
    const head = make("p", { class: "tool-title" }, title);
    const state = make("span", { class: "tool-state" }, stateOf(item));
    const card = make("section", { class: "tool", "data-status": status }, make("header", {}, head, state));
    if (output !== "") card.append(make("pre", { tabindex: "0" }, output));
    if (question !== undefined) {
      const buttons = question.options.map(({ optionId, name, kind }) => {
        const button = make("button", { type: "button", "data-kind": kind }, name);
        button.addEventListener("click", () => this.#actions.answer(question.requestId, optionId));
        return button;
      });
      card.append(make("footer", {}, ...buttons));
    }
    return card;
  }
}

function isOpen(item: Item): boolean {
  return item.kind === "tool" && item.question !== undefined;
}

function stateOf({ status, question }: Doing): string {
  if (question !== undefined) return "Waiting for you";
  return { pending: "Waiting", in_progress: "Running", completed: "Done", failed: "Failed" }[status];
}
