/**
 * Which message of host/v1 came with which version of it.
 *
 * A session speaks one version, the newest that both sides know. A message that is newer than that must not be sent:
 * whoever would send it gets an error that names what is missing, where, and since when. Each message of the schemas has
 * its row; one that isn't placed fails the build.
 */
import { TroupeError } from "@troupe/base";
import type { EngineToHost, HostToEngine } from "@troupe/protocol/host/v1";
import type { ActorSaying, ActorWord } from "../ports/carried.ts";

/** Which way a message goes. */
export type Direction = "host_to_engine" | "engine_to_host";

type HostMessage = Exclude<NonNullable<HostToEngine["body"]>["$case"], "actor"> | ActorSaying["$case"];
type EngineMessage = Exclude<NonNullable<EngineToHost["body"]>["$case"], "actor"> | ActorWord["$case"];

/** The version that each message came with. */
export interface Introduced {
  readonly host_to_engine: Readonly<Record<HostMessage, number>>;
  readonly engine_to_host: Readonly<Record<EngineMessage, number>>;
}

/** What one program speaks of host/v1. */
export interface HostProtocol {
  /** Every version that it speaks. */
  readonly versions: readonly number[];
  readonly introduced: Introduced;
}

/** host/v1 as this program speaks it. */
export const hostProtocol: HostProtocol = Object.freeze({
  versions: [1],
  introduced: {
    host_to_engine: {
      hello: 1,
      heartbeat: 1,
      drain: 1,
      // Only in a session that can be resumed.
      acknowledge: 1,
      started: 1,
      stopped: 1,
      write: 1,
      reply: 1,
      connected: 1,
      event: 1,
      kick: 1,
      ask: 1,
      rest: 1,
      end: 1,
      socketAccept: 1,
      socketMessage: 1,
      socketClose: 1,
      log: 1,
      subscribed: 1,
      requestAnswer: 1,
      bodyChunk: 1,
      bodyEnd: 1,
      bodyCredit: 1,
      streamStart: 1,
      streamItem: 1,
      // Only of a client that the engine has offered to keep.
      restored: 1,
      socketAcknowledge: 1,
      withdraw: 1,
      // Only of code that a plugin of the host carries.
      lost: 1,
    },
    engine_to_host: {
      welcome: 1,
      refused: 1,
      heartbeat: 1,
      // Only to a host that resumes.
      acknowledge: 1,
      drain: 1,
      start: 1,
      // Only to an actor that declares that it reads it.
      startRows: 1,
      stop: 1,
      call: 1,
      cancel: 1,
      connect: 1,
      disconnect: 1,
      subscribe: 1,
      unsubscribe: 1,
      answer: 1,
      socketOpen: 1,
      socketMessage: 1,
      socketClose: 1,
      requestOpen: 1,
      requestAbort: 1,
      bodyChunk: 1,
      bodyEnd: 1,
      bodyCredit: 1,
      streamCredit: 1,
    },
  },
});

/** The two sides of a session don't both know a feature. */
export class ProtocolCompatibilityError extends TroupeError {
  constructor(details: {
    /** The message, or "hello" for the protocol as a whole. */
    readonly feature: string;
    readonly direction: Direction;
    /** The version that has the feature. */
    readonly requiredVersion: number;
    /** The newest version that the other side speaks. */
    readonly targetVersion: number;
  }) {
    const { feature, direction, requiredVersion, targetVersion } = details;
    const other = direction === "host_to_engine" ? "engine" : "host";
    super(
      "protocol",
      "incompatible",
      `"${feature}" needs version ${requiredVersion} of the host protocol; this ${other} speaks ${targetVersion}: upgrade the ${other}`,
      { statusCode: 505, metadata: details },
    );
  }
}

/**
 * The newest version that an engine and a host both speak. Throws `ProtocolCompatibilityError`, which names the older of both:
 * what would make them agree is an upgrade there.
 */
export function agree(engine: readonly number[], host: readonly number[]): number {
  const common = engine.filter((version) => host.includes(version));
  if (common.length > 0) return Math.max(...common);
  const hostIsOlder = Math.max(...host) < Math.max(...engine);
  const [newer, older] = hostIsOlder ? [engine, host] : [host, engine];
  throw new ProtocolCompatibilityError({
    feature: "hello",
    direction: hostIsOlder ? "engine_to_host" : "host_to_engine",
    requiredVersion: Math.min(...newer),
    targetVersion: Math.max(...older),
  });
}

/** Throws `ProtocolCompatibilityError` when a session of `version` has no such message. */
export function checkMessage<D extends Direction>(
  protocol: HostProtocol,
  direction: D,
  feature: keyof Introduced[D] & string,
  version: number,
): void {
  const introduced: Introduced[D] = protocol.introduced[direction];
  const requiredVersion = Number(introduced[feature]);
  if (requiredVersion <= version) return;
  throw new ProtocolCompatibilityError({ feature, direction, requiredVersion, targetVersion: version });
}
