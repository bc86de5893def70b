/** What was said, with what is on its way at the end. */
import type { ChatMessage } from "../actor.ts";
import { byId, ChildList, type Item, make } from "./dom.ts";
import { face } from "./name.ts";
import type { Draft } from "./outbox.ts";
import type { Room } from "./room.ts";
import { dayName, dayOf, refreshTimes, timeElement } from "./time.ts";

/** Messages of one person that follow each other closely share a name and a time. */
const TOGETHER_MS = 5 * 60_000;
/** Closer to the end than this is at the end. Pixels. */
const NEAR_END = 80;
const REFRESH_TIMES_MS = 20_000;

export class Timeline {
  readonly #me: string;
  readonly #element = byId("timeline", HTMLDivElement);
  readonly #newest = byId("newest", HTMLButtonElement);
  readonly #list = new ChildList(this.#element);
  #room: Room | undefined;
  /** The end was in view when the reader was last seen; new messages then pull the view along. */
  #atEnd = true;

  constructor(me: string) {
    this.#me = me;
    this.#element.addEventListener("scroll", () => this.#scrolled());
    this.#newest.addEventListener("click", () => this.#toEnd());
    // The view gets smaller when the composer grows or a phone's keyboard comes up.
    new ResizeObserver(() => this.#atEnd && this.#toEnd()).observe(this.#element);
    setInterval(() => refreshTimes(this.#element), REFRESH_TIMES_MS);
  }

  show(room: Room): void {
    const another = this.#room !== room;
    this.#room = room;
    if (another) this.#atEnd = true;
    const before = this.#element.scrollHeight;
    this.#list.show(this.#items(room));
    if (this.#atEnd) this.#toEnd();
    else if (this.#element.scrollHeight > before) this.#newest.hidden = false;
  }

  #scrolled(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#element;
    this.#atEnd = scrollHeight - scrollTop - clientHeight < NEAR_END;
    if (this.#atEnd) this.#newest.hidden = true;
  }

  #toEnd(): void {
    this.#atEnd = true;
    this.#newest.hidden = true;
    this.#element.scrollTop = this.#element.scrollHeight;
  }

  #items(room: Room): Item[] {
    const items: Item[] = [];
    const notes = [...room.attendance.notes];
    let last: ChatMessage | undefined;
    for (const message of room.messages) {
      // A note breaks a group, as a new day does.
      if (takeNotes(items, notes, message.number - 1)) last = undefined;
      const newDay = last === undefined ? firstOfDay(items, message) : dayOf(last.at) !== dayOf(message.at);
      if (newDay) items.push(dayItem(message.at));
      items.push(
        messageItem(message, { mine: message.from === this.#me, first: newDay || begins(last, message) }),
      );
      last = message;
    }
    if (takeNotes(items, notes, Number.POSITIVE_INFINITY)) last = undefined;
    room.outbox.drafts.forEach((draft, index) => {
      const first = index === 0 && last?.from !== this.#me;
      items.push(draftItem(draft, first, () => room.outbox.retry(draft.id)));
    });
    return items.length === 0 && room.status === "connected" ? [emptyItem(room)] : items;
  }
}

/** Moves the notes up to a message to the items; true when there were any. */
function takeNotes(items: Item[], notes: { text: string; after: number }[], upTo: number): boolean {
  let taken = false;
  for (let note = notes[0]; note !== undefined && note.after <= upTo; note = notes[0]) {
    notes.shift();
    items.push(lineItem(`note ${items.length} ${note.text}`, note.text));
    taken = true;
  }
  return taken;
}

function firstOfDay(items: readonly Item[], message: ChatMessage): boolean {
  return !items.some((item) => item.key === dayKey(message.at));
}

function begins(last: ChatMessage | undefined, message: ChatMessage): boolean {
  return last === undefined || last.from !== message.from || message.at - last.at > TOGETHER_MS;
}

function messageItem(message: ChatMessage, place: { mine: boolean; first: boolean }): Item {
  const { from, text, at } = message;
  return {
    // A draft that arrives stays where it is.
    key: messageKey(message.id),
    look: `sent ${place.first}`,
    make: () => {
      const kind = `message${place.mine ? " mine" : ""}${place.first ? " first" : ""}`;
      const article = make("article", { class: kind });
      if (place.first && !place.mine) article.append(face(from));
      if (place.first)
        article.append(make("p", { class: "by" }, make("b", {}, place.mine ? "You" : from), timeElement(at)));
      article.append(make("p", { class: "text", dir: "auto" }, text));
      return article;
    },
  };
}

function draftItem(draft: Draft, first: boolean, retry: () => void): Item {
  const { failure } = draft;
  return {
    key: messageKey(draft.id),
    look: `draft ${first} ${failure ?? ""}`,
    make: () => {
      const kind = `message mine draft${first ? " first" : ""}${failure === undefined ? "" : " failed"}`;
      const article = make("article", { class: kind }, make("p", { class: "text", dir: "auto" }, draft.text));
      article.append(
        failure === undefined ? make("p", { class: "note" }, "Sending…") : failed(failure, retry),
      );
      return article;
    },
  };
}

function failed(failure: string, retry: () => void): HTMLElement {
  const again = make("button", { type: "button" }, "Try again");
  again.addEventListener("click", retry);
  return make("p", { class: "note" }, `${failure}. `, again);
}

/** Ids come from browsers: one that says "empty" is still a message. */
function messageKey(id: string): string {
  return `message ${id}`;
}

function dayKey(at: number): string {
  return `day ${dayOf(at)}`;
}

function dayItem(at: number): Item {
  const name = dayName(at, Date.now());
  return { key: dayKey(at), look: name, make: () => make("p", { class: "day" }, make("span", {}, name)) };
}

function lineItem(key: string, text: string): Item {
  return { key, look: "", make: () => make("p", { class: "line" }, text) };
}

function emptyItem(room: Room): Item {
  const say = make("p", {}, "Nothing was said here yet.");
  return { key: "empty", look: room.name, make: () => make("div", { class: "empty" }, say) };
}
