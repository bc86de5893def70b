/** The list of rooms, with what is unread in each. */
import { byId, ChildList, type Item, make } from "./dom.ts";
import { askName, face } from "./name.ts";
import type { Room } from "./room.ts";
import { type Rooms, roomName } from "./rooms.ts";

export class Sidebar {
  readonly #rooms: Rooms;
  readonly #list = new ChildList(byId("rooms", HTMLUListElement));

  constructor(rooms: Rooms, me: string) {
    this.#rooms = rooms;
    const rename = byId("rename", HTMLButtonElement);
    rename.append(
      face(me),
      make("span", { class: "my-name" }, me),
      make("span", { class: "change" }, "Change"),
    );
    rename.setAttribute("aria-label", `You are ${me}. Change your name`);
    rename.addEventListener("click", () => void renamed(me));
    const form = byId("open-room", HTMLFormElement);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const name = roomName(String(new FormData(form).get("room")));
      if (name !== "") location.hash = name;
      form.reset();
    });
  }

  show(): void {
    this.#list.show(this.#rooms.all.map((room) => item(room, room === this.#rooms.current)));
  }
}

/** Everything begins again under the new name. */
async function renamed(me: string): Promise<void> {
  if ((await askName(me)) !== me) location.reload();
}

function item(room: Room, current: boolean): Item {
  const { name, unread } = room;
  return {
    key: name,
    look: `${current} ${unread}`,
    make: () => {
      const link = make(
        "a",
        { href: `#${encodeURIComponent(name)}` },
        make("span", { class: "room-name" }, name),
      );
      if (current) link.setAttribute("aria-current", "page");
      if (unread > 0) link.append(badge(unread));
      const row = make("li", {}, link);
      // On a phone the rooms are a strip that scrolls.
      if (current) requestAnimationFrame(() => row.scrollIntoView({ block: "nearest", inline: "nearest" }));
      return row;
    },
  };
}

function badge(unread: number): HTMLElement {
  return make(
    "span",
    { class: "unread", "aria-label": `${unread} unread` },
    unread > 99 ? "99+" : String(unread),
  );
}
