/**
 * EventLog: stores, then tells.
 *
 * One append at a time, so that what is heard has the order of what is stored. A listener never hears of an event that
 * isn't in the transcript: the broadcast is made behind the append, in its turn or a later one, and the output gate keeps it
 * back until that is on disk. An event that can't be stored is told to nobody; its append rejects, and the log goes on.
 */
import type { Announcer } from "../announcer.ts";
import { type SessionEvent, VM_STREAM, type VmEntry } from "../session-entry.ts";
import type { Transcript } from "./transcript.ts";

/** The one writer of an actor's transcripts. */
export class EventLog {
  readonly #transcript: Transcript;
  readonly #announcer: Announcer;
  #last: Promise<unknown> = Promise.resolve();

  constructor(transcript: Transcript, announcer: Announcer) {
    this.#transcript = transcript;
    this.#announcer = announcer;
  }

  /** Stores a session's event, then broadcasts it. */
  session(sessionId: string, event: SessionEvent): Promise<void> {
    return this.#behind(async () => {
      const sequence = await this.#transcript.append(sessionId, event);
      this.#announcer.broadcast("sessionEvent", { sessionId, event, sequence });
      if (event.sessionUpdate !== "_permission_request") return;
      const { requestId, toolCall, options } = event;
      this.#announcer.broadcast("permissionRequest", { sessionId, requestId, toolCall, options });
    });
  }

  /** Stores an event of the sandbox, then broadcasts it. */
  vm(event: VmEntry["event"]): Promise<void> {
    return this.#behind(async () => {
      const sequence = await this.#transcript.append(VM_STREAM, event);
      const name = event.type === "vm_booted" ? "vmBooted" : "vmShutdown";
      this.#announcer.broadcast(name, { sessionId: VM_STREAM, event, sequence });
    });
  }

  /** Settles when all that was given so far is stored and told, or has failed. */
  async settled(): Promise<void> {
    await this.#last;
  }

  #behind(append: () => Promise<void>): Promise<void> {
    const done = this.#last.then(append);
    this.#last = done.catch(() => undefined);
    return done;
  }
}
