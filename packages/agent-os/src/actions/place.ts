import type { Workspace } from "../workspace.ts";

/** What an action needs of its context. */
export interface Place {
  readonly vars: Workspace;
}
