/** Diagnostics: how the plugins of a gateway are, for its output and for `GET /plugins`. */
import type { TroupeError } from "@troupe/base";
import type { ActivePlugins } from "@troupe/plugins";

/** For programs. */
export function diagnosticsOf({ status, skipped }: Pick<ActivePlugins, "status" | "skipped">) {
  return {
    plugins: status.map(({ id, version, kind, runsIn, startup, state, registrations, override, error }) => ({
      id,
      version,
      kind,
      runsIn,
      startup,
      state,
      registrations,
      override: override ?? null,
      error: error === undefined ? null : told(error),
    })),
    skipped: skipped.map(({ plugin, error }) => ({ plugin, ...told(error) })),
  };
}

/** For people, a line each. */
export function describePlugins({ status, skipped }: Pick<ActivePlugins, "status" | "skipped">): string[] {
  return [
    ...skipped.map(({ plugin, error }) => `Left out optional plugin ${plugin}: ${error.message}`),
    ...status.map(
      ({ id, version, kind, runsIn }) => `Activated plugin ${id} ${version} (${kind}, in ${runsIn})`,
    ),
    ...status.flatMap(({ id, override }) =>
      override === undefined
        ? []
        : [`Plugin ${id} is loaded from ${override}, unchecked: for development alone`],
    ),
  ];
}

function told({ group, code, message }: TroupeError) {
  return { code: `${group}.${code}`, message };
}
