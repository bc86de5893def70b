/**
 * A room as this page knows it: what was said, who is here, what is on its way. It holds one connection, which comes
 * back by itself; each time that it is there the room asks for the history anew.
 */
import type { ActorConn, ActorConnStatus, Client } from "troupe/client";
import type { ChatMessage, chatRoom } from "../actor.ts";
import type { registry } from "../server.ts";
import { Attendance } from "./attendance.ts";
import { Outbox } from "./outbox.ts";

/** A typist who says nothing more for so long has stopped. */
const TYPING_FOR_MS = 3_000;

export class Room {
  readonly name: string;
  readonly attendance: Attendance;
  readonly outbox: Outbox;
  readonly #me: string;
  readonly #connection: ActorConn<typeof chatRoom>;
  readonly #changed: () => void;
  /** By their numbers, in their order. */
  readonly #messages = new Map<number, ChatMessage>();
  readonly #typists = new Map<string, ReturnType<typeof setTimeout>>();
  /** The number up to which everything has been read; undefined before the history is there. */
  #read: number | undefined;
  #here = false;
  #refusal: string | undefined;

  constructor(parts: { client: Client<typeof registry>; name: string; me: string; changed: () => void }) {
    this.name = parts.name;
    this.#me = parts.me;
    this.#changed = parts.changed;
    const handle = parts.client.chatRoom.getOrCreate([parts.name], { params: { name: parts.me } });
    this.#connection = handle.connect();
    this.attendance = new Attendance(parts.me, () => this.newest, parts.changed);
    this.outbox = new Outbox(
      async ({ id, text }) => this.#add(await this.#connection.send(id, text)),
      parts.changed,
    );
    this.#listen();
  }

  get messages(): readonly ChatMessage[] {
    return [...this.#messages.values()];
  }

  /** The number of the newest message that this page has. */
  get newest(): number {
    return [...this.#messages.keys()].at(-1) ?? 0;
  }

  get unread(): number {
    const read = this.#read ?? this.newest;
    return this.messages.filter((message) => message.number > read && message.from !== this.#me).length;
  }

  get typists(): readonly string[] {
    return [...this.#typists.keys()];
  }

  get status(): ActorConnStatus {
    return this.#connection.connStatus;
  }

  /** Why the room doesn't let us in, if it doesn't. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** The page shows this room, or another one. */
  enter(here: boolean): void {
    if (this.#here === here) return;
    this.#here = here;
    // While the connection is away `#arrive` says it.
    if (this.#connection.isConnected) this.#say(this.#enter());
  }

  markRead(): void {
    if (this.#read !== undefined) this.#read = this.newest;
  }

  /** Somebody presses keys here. Nothing is said of it while the connection is away. */
  type(): void {
    if (this.#connection.isConnected) this.#say(this.#connection.typing());
  }

  leave(): void {
    this.#say(this.#connection.dispose());
  }

  #listen(): void {
    const connection = this.#connection;
    connection.on("message", (message) => this.#add(message));
    connection.on("people", (people) => this.attendance.update(people));
    connection.on("typing", (name) => this.#typing(name));
    connection.onStatusChange(() => this.#changed());
    connection.onOpen(() => this.#say(this.#arrive()));
    connection.onError((error) => {
      if (connection.connStatus === "disconnected" && !error.retryable) this.#refusal = error.message;
      this.#changed();
    });
  }

  /** The subscriptions are in force before these calls start: what the history doesn't hold comes as an event. */
  async #arrive(): Promise<void> {
    this.#refusal = undefined;
    const [history] = await Promise.all([this.#connection.history(), this.#enter()]);
    this.#messages.clear();
    for (const message of history) this.#messages.set(message.number, message);
    this.#read = Math.min(this.#read ?? this.newest, this.newest);
    this.#changed();
  }

  async #enter(): Promise<void> {
    this.attendance.update(await this.#connection.enter(this.#here));
  }

  #add(message: ChatMessage): void {
    this.#messages.set(message.number, message);
    this.#stopTyping(message.from);
    this.outbox.arrived(message.id);
    this.#changed();
  }

  #typing(name: string): void {
    if (name === this.#me) return;
    clearTimeout(this.#typists.get(name));
    const stop = setTimeout(() => this.#stopTyping(name), TYPING_FOR_MS);
    this.#typists.set(name, stop);
    this.#changed();
  }

  #stopTyping(name: string): void {
    clearTimeout(this.#typists.get(name));
    if (this.#typists.delete(name)) this.#changed();
  }

  /** Sends what may get lost: a connection that goes meanwhile says it all again when it is back. */
  #say(done: Promise<unknown>): void {
    done.catch(() => {});
  }
}
