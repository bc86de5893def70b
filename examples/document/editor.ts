/**
 * One author's view of a document: the actor's text as far as it is known here, and on top of it the author's edits that
 * aren't in it yet, which are seen at once. Edits are sent one after the other: the next may be about the letters of the
 * one before.
 */
import type { ActorConn, Client } from "troupe/client";
import type { document, Placed, registry } from "./actor.ts";
import { type Edit, Text } from "./text.ts";

/** How long an edit may wait for a server that is away. */
const PATIENCE_MS = 3_600_000;

export class Editor implements AsyncDisposable {
  readonly #connection: ActorConn<typeof document>;
  readonly #known = new Text();
  #version = 0;
  #pending: readonly Edit[] = [];
  #news = Promise.withResolvers<void>();

  private constructor(connection: ActorConn<typeof document>) {
    this.#connection = connection;
    connection.on("edited", (placed) => this.#hear(placed));
    connection.onGap(() => void this.#catchUp());
  }

  static async open(client: Client<typeof registry>, name: string): Promise<Editor> {
    const editor = new Editor(client.document.getOrCreate([name]).connect());
    // The subscription is in force before this runs: nothing is missed between the two.
    await editor.#catchUp();
    return editor;
  }

  get text(): string {
    return String(this.#known.with(this.#pending));
  }

  get version(): number {
    return this.#version;
  }

  edit(at: number, remove: number, insert: string): void {
    const edit = this.#known.with(this.#pending).edit(crypto.randomUUID(), { at, remove, insert });
    this.#pending = [...this.#pending, edit];
    if (this.#pending.length === 1) this.#send(edit);
  }

  /** Settles when the actor has all edits of this author. */
  async saved(): Promise<void> {
    while (this.#pending.length > 0) await this.#news.promise;
  }

  /** Settles when this author has seen a version. */
  async reached(version: number): Promise<void> {
    while (this.#version < version) await this.#news.promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.dispose();
  }

  /** Under a key: when its answer gets lost the client sends it again, and it happens once. */
  #send(edit: Edit): void {
    const call = { name: "edit", args: [edit], idempotencyKey: edit.id, timeoutMs: PATIENCE_MS };
    this.#connection.action(call).catch(() => this.#settle(edit.id));
  }

  #hear({ version, edit }: Placed): void {
    if (version !== this.#version + 1) return;
    this.#version = version;
    this.#known.apply(edit);
    this.#settle(edit.id);
  }

  /** An edit is in the text, or was refused. */
  #settle(id: string): void {
    const first = this.#pending[0]?.id === id;
    if (first) this.#pending = this.#pending.slice(1);
    const [next] = this.#pending;
    if (first && next !== undefined) this.#send(next);
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  async #catchUp(): Promise<void> {
    for (const placed of await this.#connection.since(this.#version)) this.#hear(placed);
  }
}
