/** Opens a prepared plugin: a session that declares what its manifest allows, and is opened anew when its process is gone. */

import { TROUPE_VERSION } from "@troupe/base";
import type { Relay } from "@troupe/relay";
import type { PluginDeclarations } from "../session/declarations.ts";
import { openSession } from "../session/open-session.ts";
import type { PluginSession, SessionEnv } from "../session/session.ts";
import { checkDeclarations, checkSameMiddleware } from "./plugin-middleware.ts";
import type { PreparedPlugin } from "./prepared-plugin.ts";
import { RelayHost } from "./relay-host.ts";
import { SupervisedSession } from "./supervised-session.ts";

/** What a plugin is opened in. */
export interface OpeningContext {
  readonly env: SessionEnv;
  /** What it may ask, as far as its manifest says. Undefined: where it runs there is none. */
  readonly relay: Relay | undefined;
}

/** Starts a plugin, and leaves nothing of it when it can't be. Throws what `openSession` and `checkDeclarations` do. */
export async function openPlugin(
  prepared: PreparedPlugin,
  context: OpeningContext,
): Promise<SupervisedSession> {
  const { env } = context;
  const first = await openChecked(prepared, context);
  const reopen = async (oneByOne: boolean): Promise<PluginSession> =>
    await openChecked(prepared, context, { before: first.declared, oneByOne });
  // What runs in this process ends with it, or was told to end.
  const supervision = { env, reopen: prepared.runsIn === "this process" ? undefined : reopen };
  return new SupervisedSession(first, supervision);
}

/** A session that declares what its manifest allows, and what it declared `before`. Nothing of it is left after a throw. */
async function openChecked(
  { manifest, open, config }: PreparedPlugin,
  { env, relay }: OpeningContext,
  { before, oneByOne = false }: { readonly before?: PluginDeclarations; readonly oneByOne?: boolean } = {},
): Promise<PluginSession> {
  const { id, capabilities } = manifest;
  const host = relay && new RelayHost({ relay, id, capabilities });
  const session = await openSession({
    env,
    open: open(env),
    plugin: id,
    oneByOne,
    hostVersion: TROUPE_VERSION,
    ...(config && { config }),
    ...(host && { host }),
  });
  try {
    checkDeclarations(manifest, session.declared);
    if (before !== undefined) checkSameMiddleware(manifest, session.declared, before);
    return session;
  } catch (error) {
    await session.close();
    throw error;
  }
}
