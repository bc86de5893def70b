/** The page: one client, the rooms, and the views that show them. */
import { createClient } from "troupe/client";
import type { registry } from "../server.ts";
import { Composer } from "./composer.ts";
import { byId } from "./dom.ts";
import { Header, setText } from "./header.ts";
import { myName } from "./name.ts";
import { Rooms } from "./rooms.ts";
import { Sidebar } from "./sidebar.ts";
import { Timeline } from "./timeline.ts";

const me = await myName();
const client = createClient<typeof registry>(location.origin);

// Many events may come at once; the views are drawn once. A frame would be too much to wait for: a tab in the
// background gets none, and its title counts what is unread.
let drawing = false;
const draw = (): void => {
  if (drawing) return;
  drawing = true;
  setTimeout(() => {
    drawing = false;
    show();
  });
};

const rooms = new Rooms({ client, me, changed: draw });
const sidebar = new Sidebar(rooms, me);
const header = new Header(me);
const timeline = new Timeline(me);
const typing = byId("typing", HTMLParagraphElement);
const composer = new Composer({
  send: (text) => rooms.current.outbox.add(text),
  type: () => rooms.current.type(),
});

addEventListener("hashchange", follow);
document.addEventListener("visibilitychange", draw);
follow();

function follow(): void {
  rooms.follow(location.hash);
  composer.show(rooms.current.name);
  // On a phone this would bring the keyboard up over what one came to read.
  if (matchMedia("(hover: hover)").matches) composer.focus();
}

function show(): void {
  const room = rooms.current;
  if (!document.hidden) room.markRead();
  sidebar.show();
  header.show(room);
  timeline.show(room);
  setText(typing, typingText(room.typists));
  const unread = rooms.all.reduce((sum, { unread }) => sum + unread, 0);
  document.title = `${unread > 0 ? `(${unread}) ` : ""}${room.name} · Chat room`;
}

function typingText(names: readonly string[]): string {
  if (names.length > 2) return "Several people are writing…";
  return names.length === 0 ? "" : `${names.join(" and ")} ${names.length === 1 ? "is" : "are"} writing…`;
}
