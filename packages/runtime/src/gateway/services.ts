import type { Env } from "@troupe/base";
import type { ActorHost } from "../host/actor-host.ts";
import type { ReportInternal } from "./calls.ts";
import type { SocketSession } from "./session.ts";
import type { UnreadTotal } from "./unread.ts";

/** What the parts of a gateway share. */
export interface GatewayServices {
  readonly env: Env;
  readonly host: ActorHost;
  readonly report: ReportInternal;
  readonly sessions: Set<SocketSession>;
  readonly unread: UnreadTotal;
}
