/**
 * Mounts: what a sandbox has at certain paths instead of its durable files.
 *
 * A directory of the host is named by the program that defines the actor, never by a caller. It is read-only unless that program says
 * otherwise; a link in it leads to what the sandbox has at that path, not to the host's.
 */

/** What is at a path. */
export type Mount =
  | {
      /** Where it is in the sandbox. */
      readonly path: string;
      /** A directory of the host. */
      readonly hostPath: string;
      /**
       * "read-only", the default: as it is on the host, at any time. "overlay": as it was when the sandbox booted, and what is changed is the
       * sandbox's own: stored with its files, and never on the host. "read-write": changes are the host's (process driver).
       */
      readonly mode?: "read-only" | "overlay" | "read-write";
    }
  | {
      readonly path: string;
      /** Files that end with the sandbox. */
      readonly mode: "memory";
    };

/** A mount of a directory of the host. */
export type HostMount = Extract<Mount, { readonly hostPath: string }>;

const modes = ["read-only", "overlay", "read-write"];
/** What every sandbox has there is not replaced. */
const taken = /^\/(?:usr|bin|sbin|lib\w*|etc|proc|dev|run|sys)?(?:\/|$)/;

/** What a list of mounts must be, for the first that isn't so; undefined when all are. */
export function wrongMount(mounts: readonly Mount[]): string | undefined {
  if (!Array.isArray(mounts)) return "a list";
  for (const [index, mount] of mounts.entries()) {
    if (typeof mount?.path !== "string" || !isPlain(mount.path) || taken.test(mount.path))
      return `a list of mounts with paths as "/data", not below the system's (see number ${index})`;
    const known =
      "hostPath" in mount
        ? typeof mount.hostPath === "string" && mount.hostPath.startsWith("/")
        : mount.mode === "memory";
    const { mode = "read-only" } = mount;
    if (!known || ("hostPath" in mount && !modes.includes(mode)))
      return `a list of { path, hostPath, mode: ${modes.map((name) => `"${name}"`).join(" | ")} } or { path, mode: "memory" } (see number ${index})`;
    if (mounts.some((other, at) => at !== index && `${other?.path}/`.startsWith(`${mount.path}/`)))
      return `a list of mounts of which none is in another (see number ${index})`;
  }
  return undefined;
}

function isPlain(path: string): boolean {
  const parts = path.slice(1).split("/");
  return (
    path.startsWith("/") && !path.includes("\0") && parts.every((part) => !["", ".", ".."].includes(part))
  );
}
