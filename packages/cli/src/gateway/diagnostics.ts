/** Diagnostics: how the plugins of a gateway are, for its output and for `GET /plugins`. */
import type { TroupeError } from "@troupe/base";
import type { ActivePlugins, PluginStatus, SupervisedState } from "@troupe/plugins/activation";
import { textWithoutSecrets } from "@troupe/relay/secrets";

/** An error as it is told. */
interface Told {
  /** `group.code` */
  readonly code: string;
  readonly message: string;
}

/** What is told of plugins; every key is always there. */
export interface Diagnostics {
  readonly plugins: readonly (Pick<
    PluginStatus,
    | "id"
    | "version"
    | "kind"
    | "runsIn"
    | "startup"
    | "calls"
    | "failures"
    | "crashes"
    | "restarts"
    | "registrations"
  > & {
    readonly state: SupervisedState;
    readonly override: string | null;
    readonly error: Told | null;
  })[];
  readonly skipped: readonly (Told & { readonly plugin: string })[];
}

/** For programs. */
export function diagnosticsOf({ status, skipped }: Pick<ActivePlugins, "status" | "skipped">): Diagnostics {
  return {
    plugins: status.map(({ state, override, error, ...plugin }) => ({
      ...plugin,
      state,
      override: override ?? null,
      error: error === undefined ? null : told(error),
    })),
    skipped: skipped.map(({ plugin, error }) => ({ plugin, ...told(error) })),
  };
}

/** For people, a line each. */
export function describePlugins({ status, skipped }: Pick<ActivePlugins, "status" | "skipped">): string[] {
  return [
    ...skipped.map(({ plugin, error }) => `Left out optional plugin ${plugin}: ${told(error).message}`),
    ...status.map(
      ({ id, version, kind, runsIn }) => `Activated plugin ${id} ${version} (${kind}, in ${runsIn})`,
    ),
    // Of one that goes on, since the reload couldn't replace it.
    ...status.flatMap(({ error }) => (error === undefined ? [] : [told(error).message])),
    ...status.flatMap(({ id, override }) =>
      override === undefined
        ? []
        : [`Plugin ${id} is loaded from ${override}, unchecked: for development alone`],
    ),
  ];
}

function told({ group, code, message }: TroupeError): Told {
  // What a plugin throws may quote what it was given.
  return { code: `${group}.${code}`, message: textWithoutSecrets(message) };
}
