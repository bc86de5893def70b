/** A chat room: one actor per room, found by its name. */
import { actor, event, UserError } from "troupe";
import { type Bucket, fullBucket, spend } from "./bucket.ts";

export interface ChatMessage {
  /** Made by its sender. A message that comes twice, because nobody knew whether it had arrived, is kept once. */
  readonly id: string;
  /** Its place in the room: 1, 2, 3, … */
  readonly number: number;
  readonly from: string;
  readonly text: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** What a browser says when it connects. There are no accounts: people are who they say they are. */
export interface Visitor {
  readonly name: string;
}

/** What the room knows of one connection. It is never stored: a connection that comes back says it again. */
export interface Seat {
  readonly name: string;
  /** False for one that only listens, from another room's page, to count what is unread. */
  here: boolean;
  typedAt: number;
  readonly bucket: Bucket;
}

const HISTORY = 500;
const LONGEST_NAME = 24;
const LONGEST_TEXT = 2_000;
const LONGEST_ID = 64;
const TYPING_EVERY_MS = 1_000;

export const chatRoom = actor({
  // State is saved property by property. With each message a property of its own, a new one writes one row, however
  // long the history is; and an object lists properties that are numbers in their order.
  state: {} as Record<number, ChatMessage>,

  events: { message: event<ChatMessage>(), people: event<string[]>(), typing: event<string>() },

  // Whatever comes from outside is checked: a client needn't be our page.
  onBeforeConnect: (_c, visitor: Visitor) => void nameOf(visitor),
  createConnState: (_c, visitor: Visitor): Seat => ({
    name: nameOf(visitor),
    here: false,
    typedAt: 0,
    bucket: fullBucket(Date.now()),
  }),
  onDisconnect: (c, conn) => {
    if (conn.state.here) c.broadcast("people", peopleIn(c.conns.values()));
  },

  actions: {
    /** Comes in, or only listens. Answers with who is here. */
    enter: (c, here: boolean): string[] => {
      const seat = c.conn.state;
      const changed = seat.here !== here;
      seat.here = here;
      const people = peopleIn(c.conns.values());
      if (changed) c.broadcast("people", people);
      return people;
    },

    /** All that is kept, in its order. */
    history: (c): ChatMessage[] => Object.values(c.snapshot()),

    /** When this answers, and when anybody else sees the message, it is on disk. */
    send: (c, id: string, text: string): ChatMessage => {
      // A call without a connection would come with a full bucket each time.
      if (!c.conns.has(c.conn.id)) throw new UserError("Connect to the room to speak", { code: "not_here" });
      const kept = Object.values(c.state).find((message) => message.id === id);
      if (kept !== undefined) return kept;
      const words = wordsOf(id, text);
      spend(c.conn.state.bucket, Date.now());
      c.conn.state.typedAt = 0;
      const number = Number(Object.keys(c.state).at(-1) ?? 0) + 1;
      const message = { id, number, from: c.conn.state.name, text: words, at: Date.now() };
      c.state[number] = message;
      delete c.state[number - HISTORY];
      c.broadcast("message", message);
      return message;
    },

    /** Sent unconfirmed: it waits for no disk, and one that gets lost does no harm. */
    typing: (c) => {
      const seat = c.conn.state;
      if (Date.now() - seat.typedAt < TYPING_EVERY_MS) return;
      seat.typedAt = Date.now();
      c.broadcastUnconfirmed("typing", seat.name);
    },
  },

  // A full history of the longest messages, in a script of three bytes a letter.
  options: { maxOutgoingMessageSize: 4 * 1024 * 1024 },
});

/** One person may have several tabs open. */
function peopleIn(conns: Iterable<{ readonly state: Seat }>): string[] {
  const here = [...conns].filter((conn) => conn.state.here);
  return [...new Set(here.map((conn) => conn.state.name))].sort((a, b) => a.localeCompare(b));
}

function nameOf(visitor: Visitor | undefined): string {
  const name = textOf(visitor?.name).replaceAll(/\s+/g, " ");
  if (name === "" || name.length > LONGEST_NAME) {
    throw new UserError(`A name has 1 to ${LONGEST_NAME} characters`, { code: "bad_name" });
  }
  return name;
}

function wordsOf(id: string, text: string): string {
  const words = textOf(text);
  if (words === "" || words.length > LONGEST_TEXT) {
    throw new UserError(`A message has 1 to ${LONGEST_TEXT} characters`, { code: "bad_text" });
  }
  if (textOf(id) === "" || id.length > LONGEST_ID) {
    throw new UserError("A message needs an id", { code: "bad_id" });
  }
  return words;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}
