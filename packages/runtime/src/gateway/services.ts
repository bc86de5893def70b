import type { Env, TroupeError } from "@troupe/base";
import type { ActorHost } from "../host/actor-host.ts";
import type { CallFigures } from "./call-figures.ts";
import type { ReportInternal } from "./calls.ts";
import type { HeldTotal } from "./held.ts";
import type { Reader, UnreadTotal } from "./unread.ts";

/** What the parts of a gateway share. */
export interface GatewayServices {
  readonly env: Env;
  readonly host: ActorHost;
  readonly report: ReportInternal;
  readonly calls: CallFigures;
  readonly sessions: Set<Session>;
  readonly unread: UnreadTotal;
  /** What is held of clients whose actors sleep, or are at work. */
  readonly held: HeldTotal;
}

/** An open socket, whatever is spoken on it. */
export interface Session extends Reader {
  /** Monotonic time of the last sign of life. */
  readonly heardAt: number;
  /** Asks for one, where the client doesn't give any by itself. */
  ask?(): void;
  /** Nothing was heard for two heartbeats: the other end is gone, and may not know it. */
  silent(): void;
  /** The host stops. */
  endWith(error: TroupeError, code: number): void;
}
