/**
 * How bubblewrap is called: what a sandbox sees of the host, and what it has of its own.
 *
 *   /                 a file system in memory, as large as the sandbox's files may be: what is written there is the sandbox's
 *   /usr, /bin, …     the host's programs and libraries, read-only, and the few files of /etc that they need
 *   /run/troupe       this runtime's node and the supervisor, read-only
 *   /proc, /dev       of the sandbox's own namespaces
 *
 * Nothing else of the host is there: no home, no socket, no network, no other process. The sandbox's user has no rights and can gain
 * none (no capability, no set-uid program, no user namespace of its own).
 */
import { lstatSync, readlinkSync } from "node:fs";

/** Where the sandbox's own parts are, inside. */
export const places = {
  node: "/run/troupe/node",
  inside: "/run/troupe/inside",
  modules: "/run/troupe/node_modules",
};

/** A host path that is seen inside. */
export interface Bind {
  readonly from: string;
  readonly to: string;
  readonly writable?: boolean;
}

/** What a sandbox may use, each process by itself or all together. */
export interface KernelLimits {
  readonly fileBytes: number;
  readonly memoryBytes: number;
  readonly processes: number;
  readonly openFiles: number;
  readonly cpuSeconds: number | undefined;
}

/** What bubblewrap is told. */
export interface BubblewrapParts {
  readonly binds: readonly Bind[];
  /** Paths with files that end with the sandbox. */
  readonly memory: readonly string[];
  readonly limits: KernelLimits;
  /** Of the sandbox's first program; it is found in /run/troupe. */
  readonly program: readonly string[];
  /** Where the filter of system calls is read. */
  readonly filterFd: number;
}

/** What a Node, the supervisor or anybody's, reserves and never uses. */
const NODE_RESERVES = 768 * 1024 * 1024;
/** Of the host, where they are there. */
const systemPaths = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];
const systemConfiguration = [
  "/etc/alternatives",
  "/etc/ca-certificates",
  "/etc/ld.so.cache",
  "/etc/ld.so.conf",
  "/etc/ld.so.conf.d",
  "/etc/localtime",
  "/etc/pki",
  "/etc/ssl",
];

/** The arguments of bubblewrap. */
export function bubblewrapArguments({ binds, memory, limits, program, filterFd }: BubblewrapParts): string[] {
  return [
    ...["--unshare-all", "--unshare-user", "--disable-userns", "--die-with-parent", "--new-session"],
    ...["--uid", "1000", "--gid", "1000", "--hostname", "sandbox", "--cap-drop", "ALL", "--clearenv"],
    ...["--size", String(limits.fileBytes), "--tmpfs", "/"],
    ...["/etc", "/run", "/run/troupe"].flatMap((path) => ["--perms", "0755", "--dir", path]),
    ...["--ro-bind", "/usr", "/usr", ...systemPaths.flatMap(systemPath)],
    ...systemConfiguration.flatMap((path) => ["--ro-bind-try", path, path]),
    ...["--proc", "/proc", "--dev", "/dev"],
    // What bubblewrap makes there has no size of its own.
    ...["--size", String(limits.fileBytes), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"],
    ...["/tmp", "/home", "/home/user"].flatMap((path) => ["--perms", "0755", "--dir", path]),
    ...binds.flatMap(({ from, to, writable }) => [`--${writable === true ? "" : "ro-"}bind`, from, to]),
    ...memory.flatMap((path) => ["--size", String(limits.fileBytes), "--tmpfs", path]),
    ...["--chdir", "/", "--seccomp", String(filterFd), "--"],
    ...["prlimit", ...prlimits(limits), ...program],
  ];
}

/** Set inside, where a limit of processes counts the sandbox's own. */
function prlimits({ fileBytes, memoryBytes, processes, openFiles, cpuSeconds }: KernelLimits): string[] {
  return [
    `--nproc=${processes}`,
    // Private memory that can be written: the kernel's bound of one process. What is really used the supervisor watches.
    `--data=${memoryBytes + NODE_RESERVES}`,
    `--fsize=${fileBytes}`,
    `--nofile=${openFiles}`,
    "--core=0",
    // Behind the supervisor's own bound, which says why.
    ...(cpuSeconds === undefined ? [] : [`--cpu=${Math.ceil(cpuSeconds) + 1}`]),
  ];
}

/** On most systems these are links into /usr. */
function systemPath(path: string): string[] {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [];
  return stat.isSymbolicLink() ? ["--symlink", readlinkSync(path), path] : ["--ro-bind", path, path];
}
