/** The head of the room and the list of who is in it. */
import { byId, ChildList, type Item, make } from "./dom.ts";
import { face } from "./name.ts";
import type { Room } from "./room.ts";
import { topicOf } from "./rooms.ts";

/** Faces in the head; more are a number. */
const MOST_FACES = 4;

export class Header {
  readonly #me: string;
  readonly #title = byId("title", HTMLHeadingElement);
  readonly #topic = byId("topic", HTMLParagraphElement);
  readonly #status = byId("status", HTMLParagraphElement);
  readonly #faces = byId("faces", HTMLDivElement);
  readonly #faceList = new ChildList(this.#faces);
  readonly #peopleTitle = byId("people-title", HTMLHeadingElement);
  readonly #people = new ChildList(byId("people", HTMLUListElement));

  constructor(me: string) {
    this.#me = me;
  }

  show(room: Room): void {
    const { people } = room.attendance;
    setText(this.#title, room.name);
    setText(this.#topic, topicOf(room.name));
    this.#showStatus(room);
    setText(this.#peopleTitle, people.length === 1 ? "1 person here" : `${people.length} people here`);
    this.#people.show(people.map((name) => this.#person(name)));
    this.#faces.title = people.join(", ");
    this.#faceList.show(faces(people));
  }

  #showStatus(room: Room): void {
    const [state, text] = statusOf(room);
    this.#status.dataset.state = state;
    setText(this.#status, text);
  }

  #person(name: string): Item {
    const mine = name === this.#me;
    return {
      key: name,
      look: "",
      make: () =>
        make("li", {}, face(name), make("span", { class: "person" }, mine ? `${name} (you)` : name)),
    };
  }
}

function statusOf(room: Room): [state: string, text: string] {
  if (room.refusal !== undefined) return ["refused", room.refusal];
  if (room.status === "connected") return ["connected", "Connected"];
  return room.newest === 0 && room.status === "connecting"
    ? ["away", "Connecting…"]
    : ["away", "Reconnecting…"];
}

function faces(people: readonly string[]): Item[] {
  const shown = people.slice(0, MOST_FACES).map((name) => ({ key: name, look: "", make: () => face(name) }));
  const more = people.length - shown.length;
  if (more === 0) return shown;
  return [
    ...shown,
    { key: " more", look: String(more), make: () => make("span", { class: "more" }, `+${more}`) },
  ];
}

/** Only a change is told to screen readers. */
export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}
