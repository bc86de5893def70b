/**
 * Carrier: how a plugin is run. Plugins' own port.
 *
 * A carrier moves frames between the host and one plugin, whole and in order each way, and knows nothing of what is in
 * them. The session (`session/`) knows nothing of carriers. Both ends of a carrier that moves bytes encode frames with
 * plugin/v1's codecs; the module carrier passes the objects on.
 */
import type { TroupeError } from "@troupe/base";
import type { HostFrame, PluginFrame } from "@troupe/protocol/plugin/v1";

/** An open way to one plugin. */
export interface Carrier {
  /** Sends a frame on its way. Never blocks and never throws: on a carrier that has ended it does nothing. */
  send(frame: HostFrame): void;
  /** What was sent is answered in a moment: `ActorCarrier.soon`. */
  soon?(): Promise<void> | undefined;
  /** Why it isn't ready after so long, where the carrier knows more of it than that. */
  unready?(afterMs: number): TroupeError;
  /** Ends the plugin within `timeoutMs`; settles when nothing of it runs, or with what stayed behind. Asked again, the same promise. */
  close(timeoutMs: number): Promise<CloseReport>;
}

/** What a closed carrier left behind. */
export interface CloseReport {
  /** False: something of the plugin still runs (a library whose threads didn't end, which therefore stays mapped). */
  readonly clean: boolean;
}

/** Who listens to a carrier. */
export interface CarrierEvents {
  /** Bytes in the frame are the carrier's own, and used again when this has returned. */
  frame(frame: PluginFrame): void;
  /** The plugin is gone, or speaks nonsense: once, and last. `undefined` after `close`. */
  ended(error: TroupeError | undefined): void;
}

/** Starts a plugin. Rejects with what was wrong: `plugin.*`, `package.missing`. */
export type OpenCarrier = (events: CarrierEvents) => Promise<Carrier>;
