/**
 * LiveSession: one actor, as it goes on, over a WebSocket.
 *
 *   catching up ──snapshot sent──▶ live ──too much unread──▶ behind ──read──▶ catching up (after a `gap`)
 *
 * The watcher is told first and reads the snapshot then, so that nothing falls between the two; what comes meanwhile
 * waits and follows it. A change names whole properties, so one that the snapshot has already does no harm. What comes
 * while the reader is behind is counted, not kept: it is told as a gap, with a new snapshot behind it.
 *
 * State is told when its batch is durable, calls when their answers have left: nothing here is ahead of the gate.
 */
import { type TimerHandle, TroupeError } from "@troupe/base";
import { closeCodes, encodeJson, limits } from "@troupe/protocol";
import { connectionErrors } from "../errors.ts";
import type { GatewayServices, Session } from "../gateway/services.ts";
import type { RowChange } from "../ports/storage.ts";
import type { Link, LinkHandler } from "../ports/transport.ts";
import type { ActorRecorder, CallRecord, Watcher } from "./recorder.ts";
import { stateChange } from "./state-section.ts";

/** What a session shows. */
export interface LiveSource {
  /** The recorder, once it is known that there is such an actor. Rejects with `actor.not_found`. */
  recorder(): Promise<ActorRecorder>;
  /** Why it is awake, and who is connected. */
  overview(): Promise<Readonly<Record<string, unknown>>>;
  /** Its state and its recent calls. */
  data(): Promise<Readonly<Record<string, unknown>>>;
  /** The session is over. */
  ended(): void;
}

type State =
  | { readonly tag: "catching-up"; readonly waiting: string[]; length: number; lost: number }
  | { readonly tag: "live" }
  | { readonly tag: "behind"; lost: number }
  | { readonly tag: "closed" };

/** A live connection. */
export class LiveSession implements Session, LinkHandler, Watcher {
  heardAt: number;
  readonly #services: GatewayServices;
  readonly #link: Link;
  readonly #source: LiveSource;
  #state: State = catchingUp();
  #recorder: ActorRecorder | undefined;
  #timer: TimerHandle | undefined;
  #shown = "";
  #unread = 0;

  constructor(link: Link, source: LiveSource, services: GatewayServices) {
    this.#services = services;
    this.#link = link;
    this.#source = source;
    this.heardAt = services.env.clock.monotonic();
    link.attach(this);
    this.#begin().catch((cause: unknown) => this.#fail(cause));
  }

  called(call: CallRecord): void {
    this.#tell({ kind: "call", call });
  }

  stored(rows: readonly RowChange[]): void {
    const { set, removed } = stateChange(rows);
    if (Object.keys(set).length + removed.length > 0) this.#tell({ kind: "state", set, removed });
  }

  phase(phase: string): void {
    this.#tell({ kind: "phase", phase });
  }

  message(): void {
    this.heard();
  }

  heard(): void {
    this.heardAt = this.#services.env.clock.monotonic();
  }

  drained(): void {
    this.#catchUp();
  }

  closed(): void {
    this.#end();
  }

  ask(): void {
    if (this.#link.ping !== undefined) this.#link.ping();
    else this.heard();
  }

  silent(): void {
    this.endWith(connectionErrors.silent(), closeCodes.policy);
  }

  look(): number {
    const unread = this.#state.tag === "closed" ? 0 : this.#link.bufferedBytes;
    const more = unread - this.#unread;
    this.#unread = unread;
    this.#services.unread.add(more);
    return unread;
  }

  relieve(): void {
    this.endWith(connectionErrors.slowestReader(limits.gatewayUnreadBytes), closeCodes.tryLater);
  }

  endWith({ group, code: name }: TroupeError, code: number): void {
    this.#link.close(code, `${group}.${name}`);
    this.#end();
  }

  async #begin(): Promise<void> {
    this.#recorder = await this.#source.recorder();
    if (this.#state.tag === "closed") return;
    this.#recorder.watchers.add(this);
    this.#timer = this.#services.env.timers.set(this.#watch, limits.inspectorLookMs, { background: true });
    await this.#snapshot();
  }

  /** Sends what there is, and then what came meanwhile. */
  async #snapshot(): Promise<void> {
    const overview = await this.#source.overview();
    const data = await this.#source.data();
    const state = this.#state;
    if (state.tag !== "catching-up") return;
    this.#shown = encodeJson(overview);
    if (state.lost > 0) this.#post(encodeJson({ kind: "gap", lost: state.lost }));
    this.#post(encodeJson({ kind: "snapshot", overview, ...data }));
    this.#state = { tag: "live" };
    for (const text of state.waiting) this.#send(text);
  }

  #tell(event: Readonly<Record<string, unknown>>): void {
    if (this.#state.tag !== "closed") this.#send(encodeJson(event));
  }

  #send(text: string): void {
    const state = this.#state;
    switch (state.tag) {
      case "catching-up":
        if (state.length + text.length > limits.inspectorLiveBytes) state.lost += 1;
        else {
          state.waiting.push(text);
          state.length += text.length;
        }
        return;
      case "live":
        if (this.#link.bufferedBytes > limits.inspectorLiveBytes) this.#state = { tag: "behind", lost: 1 };
        else this.#post(text);
        return;
      case "behind":
        state.lost += 1;
        return;
      case "closed":
        return;
    }
  }

  #post(text: string): void {
    this.#link.send(text);
    this.look();
  }

  /** What isn't announced is looked for: why it is awake, who is connected. */
  readonly #watch = (): void => {
    this.#timer = this.#services.env.timers.set(this.#watch, limits.inspectorLookMs, { background: true });
    this.#catchUp();
    if (this.#state.tag !== "live") return;
    this.#source.overview().then(
      (overview) => {
        const text = encodeJson(overview);
        if (text === this.#shown || this.#state.tag !== "live") return;
        this.#shown = text;
        this.#tell({ kind: "overview", overview });
      },
      (cause: unknown) => this.#fail(cause),
    );
  };

  #catchUp(): void {
    const state = this.#state;
    if (state.tag !== "behind" || this.#link.bufferedBytes > limits.inspectorLiveBytes / 2) return;
    this.#state = { ...catchingUp(), lost: state.lost };
    this.#snapshot().catch((cause: unknown) => this.#fail(cause));
  }

  #fail(cause: unknown): void {
    if (this.#state.tag === "closed") return;
    const { group, code } = TroupeError.is(cause) ? cause : { group: "internal", code: "error" };
    if (!TroupeError.is(cause)) this.#services.report(cause, { inspector: "live" });
    const gone = group === "actor" && code === "not_found";
    this.#tell({ kind: "end", reason: `${group}.${code}` });
    this.#link.close(gone ? closeCodes.normal : closeCodes.tryLater, `${group}.${code}`);
    this.#end();
  }

  #end(): void {
    if (this.#state.tag === "closed") return;
    this.#state = { tag: "closed" };
    this.#recorder?.watchers.delete(this);
    if (this.#timer !== undefined) this.#services.env.timers.clear(this.#timer);
    this.#services.sessions.delete(this);
    this.look();
    this.#source.ended();
  }
}

function catchingUp(): State & { tag: "catching-up" } {
  return { tag: "catching-up", waiting: [], length: 0, lost: 0 };
}
