/**
 * Transport: links that carry messages between two ends: client and gateway, gateway and host, host and host.
 *
 * A link delivers in order, each message at most once, until it is closed; a message may be lost only together with
 * every later one. Neither end learns what the other has read: whoever needs an answer asks for one.
 */
export type Message = string | Uint8Array;

/** Receives what a link brings. */
export interface LinkHandler {
  message(data: Message): void;
  /** Once, and last. `code` as RFC 6455 7.4; 1006 when the link just broke. */
  closed(code: number, reason: string): void;
  /** The send buffer has drained below half of its limit. */
  drained?(): void;
  /** The other end has answered a {@link Link.ping}. */
  heard?(): void;
  /** The other end is in the middle of a message that is longer than {@link Link.accept} allows. */
  tooLong?(bytes: number): void;
}

/** One end of a two-way, ordered stream of messages. */
export interface Link {
  /** Where messages go from now on. Messages that came earlier are delivered first, in order. */
  attach(handler: LinkHandler): void;
  /** Never blocks and never throws: on a closed link it does nothing. */
  send(data: Message): void;
  close(code: number, reason: string): void;
  /**
   * A message of the other end may have this many bytes. Links that have it take in nothing before, and never much more
   * than this of one message.
   */
  accept?(maxBytes: number): void;
  /** Reads nothing more until `resume`; what was read already still comes. */
  pause?(): void;
  resume?(): void;
  /** Asks the other end for a sign of life, where the carrier has such a thing. */
  ping?(): void;
  /** Bytes that were sent but not yet handed to the operating system. */
  readonly bufferedBytes: number;
}

/** The port: links to addresses. */
export interface Transport {
  /** Opens a link to the listener at `address`. Throws `transport.unreachable`. */
  dial(address: string): Promise<Link>;
  /** Throws `transport.address_in_use`. */
  listen(address: string, accept: (link: Link) => void): Promise<Listener>;
}

/** An address that links may come to. */
export interface Listener {
  /** No new links; open ones stay. */
  close(): Promise<void>;
}
