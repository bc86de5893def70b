/**
 * Directory: which actors exist, and which host may run each of them.
 *
 * An actor is created under an address (namespace, name, key) and gets an id for life; after it was destroyed the
 * address is free again and the next create makes another actor. A host that wants to run an actor claims it and gets
 * a generation, greater than every one before; storage refuses the commits of older ones. A lease may run out without
 * its holder knowing: the generation alone is the fence.
 */
export interface ActorAddress {
  /** The namespace's immutable id. */
  readonly namespace: string;
  readonly name: string;
  readonly key: readonly string[];
}

/** What a directory knows of a living actor. */
export interface ActorRecord extends ActorAddress {
  readonly id: string;
  /** Wall clock, milliseconds. */
  readonly createdAt: number;
}

/** Greater means newer. Compared, never computed with, by everyone but the directory. */
export type Generation = number;

/** A creation, and when it is durable. */
export interface Created {
  readonly record: ActorRecord;
  readonly isNew: true;
  /**
   * Settles when the creation is durable; absent when it is already. Nothing that depends on the actor may leave the
   * host before. Rejects with `storage.commit_failed` when the disk refused: then there is no such actor.
   */
  readonly durable?: Promise<void>;
}

/** An actor that was there. */
export interface Found {
  readonly record: ActorRecord;
  readonly isNew: false;
}

/** What a new actor is made with. */
export interface CreateNeeds {
  /** It has a database: what its own file is made of is durable before the actor's creation is. */
  readonly database?: boolean;
}

/** The right to run an actor. */
export interface Claim {
  readonly generation: Generation;
  /** Wall clock; absent when the claim lasts as long as the process. */
  readonly expiresAt?: number;
}

/** Which actors to list. */
export interface ListQuery {
  readonly namespace: string;
  readonly name?: string;
  /** From 1 to 1,000. */
  readonly limit: number;
  /** The `next` of an earlier page. */
  readonly after?: string;
}

/** A page of actors. */
export interface ListPage {
  readonly actors: readonly ActorRecord[];
  readonly next?: string;
}

/** The port: which actors exist, and who may run them. */
export interface Directory {
  /** The living actor at an address. */
  find(address: ActorAddress): Promise<ActorRecord | undefined>;
  /** The living actor with this id. Any string is a fair question. */
  get(id: string): Promise<ActorRecord | undefined>;
  /** Throws `actor.duplicate_key` when a living actor has the address. */
  create(address: ActorAddress, needs?: CreateNeeds): Promise<Created>;
  /** The living actor at an address, or a new one. */
  getOrCreate(address: ActorAddress, needs?: CreateNeeds): Promise<Found | Created>;
  /** Throws `actor.not_found` for an actor that was destroyed, `actor.claimed` while another host's lease runs. */
  claim(id: string): Promise<Claim>;
  /** Extends a lease. Throws `storage.fenced` when the generation isn't the newest. */
  renew(id: string, generation: Generation): Promise<Claim>;
  /** Gives a claim back. An older generation's release does nothing. */
  release(id: string, generation: Generation): Promise<void>;
  /**
   * Ends the actor: durable when it settles, and from then on the id is unknown and the address free. What storage
   * holds of the actor goes with it, at once or later, also over a crash.
   */
  destroy(id: string, generation: Generation): Promise<void>;
  /** Living actors in a stable order. */
  list(query: ListQuery): Promise<ListPage>;
}
