/**
 * Durability: nothing leaves the server before it is safe.
 *
 * The strongest form of "acknowledged means durable" needs no crash to be seen: at the moment when bytes leave the
 * process, every mark in them must be on the synced disk. Crashes then show that what the disk said was true: a mark
 * that has ever been safe is there in every later image, unless its actor was destroyed.
 */

import { addressText } from "../../packages/runtime/src/storage/actor-key.ts";
import type { DiskObserver } from "../disk/disk.ts";
import type { Change, Image, StoredActor, Transaction } from "../disk/image.ts";
import type { Wiretap } from "../net/network.ts";
import type { World } from "../world/world.ts";
import { checkActor } from "./image-rules.ts";
import { lives, readActor, type StoredEvent, type StoredState } from "./stored-state.ts";
import { markOf, marksIn, tokenWith } from "./tokens.ts";

/** Follows the disk, and listens to what leaves. */
export class Durability implements DiskObserver, Wiretap {
  readonly #world: World;
  /** Marks that were ever safe, with their actors. */
  readonly #safe = new Map<string, string>();
  readonly #destroyed = new Set<string>();
  /** Actors that no longer lived when a process started: whoever asks for one removes it. */
  readonly #leftOver = new Set<string>();
  readonly #arrived: string[] = [];
  readonly #made = new Set<string>();
  /** The newest safe log of every actor that ever was. */
  readonly logs = new Map<string, readonly string[]>();
  /** The newest safe table of every vault that ever was. */
  readonly entries = new Map<string, readonly string[]>();

  /** The newest safe transcript of every session that ever was. */
  readonly transcripts = new Map<string, readonly StoredEvent[]>();

  constructor(world: World) {
    this.#world = world;
  }

  isSafe(mark: string): boolean {
    return this.#safe.has(mark);
  }

  wasDestroyed(actorId: string): boolean {
    return this.#destroyed.has(actorId);
  }

  /** The actor that holds, or held, a mark. */
  holder(mark: string): string | undefined {
    return this.#safe.get(mark);
  }

  /** Somebody outside, or another actor, has learned of `mark`. */
  mustBeSafe(mark: string, who: string): void {
    if (!this.#safe.has(mark))
      this.#world.fail("durability", `${who} knows of ${mark}, which is not on disk`);
  }

  leaves(bytes: string | Uint8Array): void {
    for (const mark of marksIn(bytes)) this.mustBeSafe(mark, "a message that leaves the server");
  }

  opened(image: Image): void {
    for (const actor of image.actors.values()) if (!lives(actor)) this.#leftOver.add(actor.record.id);
  }

  /** Actors that are gone or were never made, and that the process which ended them has not removed. */
  unremoved(image: Image): readonly string[] {
    const dead = [...image.actors.values()].filter((actor) => !lives(actor)).map(({ record }) => record.id);
    return dead.filter((id) => !this.#leftOver.has(id));
  }

  writes(image: Image, transaction: Transaction): void {
    for (const change of transaction) {
      if (change.kind !== "destroy") continue;
      const actor = image.actors.get(change.id);
      if (actor !== undefined && lives(actor))
        this.#world.fail("ends", `actor ${change.id} is removed, and nothing on disk says that it is gone`);
    }
  }

  written(image: Image, transaction: Transaction): void {
    for (const id of touchedBy(transaction)) {
      const actor = image.actors.get(id);
      if (actor === undefined) continue;
      const state = this.#checked(actor);
      const { name, key } = actor.record;
      this.#world.trace.say("disk", `${name}/${key.join("/")} ends with`, state?.log.at(-1));
    }
  }

  synced(image: Image, transactions: readonly Transaction[]): void {
    for (const transaction of transactions) {
      for (const change of transaction) this.#count(change);
    }
    const touched = new Set(transactions.flatMap((transaction) => [...touchedBy(transaction)]));
    for (const id of touched) {
      const actor = image.actors.get(id);
      if (actor !== undefined) this.#learn(actor);
    }
    this.#checkTransfers();
  }

  crashed(image: Image): void {
    const found = new Set<string>();
    for (const actor of image.actors.values()) {
      for (const mark of marksOf(this.#checked(actor))) found.add(mark);
    }
    for (const [mark, actorId] of this.#safe) {
      if (!found.has(mark) && !this.#goneWithActor(image, actorId)) {
        this.#world.fail("durability", `${mark} of actor ${actorId} was safe, and is lost after a crash`);
      }
    }
  }

  #count(change: Change): void {
    const { counters } = this.#world;
    if (change.kind === "destroy") {
      this.#destroyed.add(change.id);
      counters.add("an actor was destroyed");
    } else if (change.kind === "create") {
      const address = addressText(change.record);
      if (this.#made.has(address)) counters.add("an actor was made again");
      this.#made.add(address);
    }
  }

  /** A destroy may be written and not yet synced. */
  #goneWithActor(image: Image, actorId: string): boolean {
    return this.#destroyed.has(actorId) || !image.actors.has(actorId);
  }

  /** What the actor's rows say, which must add up. */
  #checked(actor: StoredActor): StoredState | undefined {
    const state = readActor(actor);
    const broken = checkActor(actor, state);
    if (broken !== undefined) this.#world.fail("one turn, one transaction", broken);
    return state;
  }

  #learn(actor: StoredActor): void {
    const state = readActor(actor);
    if (state === undefined) return;
    this.logs.set(actor.record.id, state.log);
    this.entries.set(actor.record.id, state.entries);
    this.transcripts.set(actor.record.id, state.transcript);
    for (const mark of marksOf(state)) {
      if (this.#safe.has(mark)) continue;
      this.#safe.set(mark, actor.record.id);
      const arrived = tokenWith(mark, "in");
      if (arrived !== undefined) this.#arrived.push(arrived);
    }
  }

  /** A call that arrived proves that what its caller wrote before was safe. */
  #checkTransfers(): void {
    for (const token of this.#arrived.splice(0)) this.mustBeSafe(markOf(token, "out"), "the callee's disk");
  }
}

function marksOf(state: StoredState | undefined): readonly string[] {
  if (state === undefined) return [];
  const said = state.transcript.map(({ mark }) => mark);
  return [...state.log, ...state.bag, ...state.entries, ...said];
}

function touchedBy(transaction: Transaction): ReadonlySet<string> {
  const touched = new Set<string>();
  for (const change of transaction) touched.add(change.kind === "create" ? change.record.id : change.id);
  return touched;
}
