/**
 * The system calls that a sandbox's processes don't have, as a program of the kernel's own filter language.
 *
 * A namespace bounds what a process sees; what it may ask of the kernel is bounded here. All calls are allowed but those that no
 * tool of an agent needs and that kernels have been broken by: mounts, namespaces, keys, io_uring, bpf, ptrace, modules, and
 * kinds of sockets that no network namespace bounds (vsock leads to a machine's host). Two more are about the sandbox itself: memory
 * that nobody could count (memfd), and signals to everybody, which would end the supervisor.
 *
 * Sources of the format: `struct sock_filter` (linux/filter.h), `struct seccomp_data` and the actions (linux/seccomp.h),
 * the numbers of arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h. bubblewrap loads it
 * (`--seccomp FD`) behind its own work, right before the sandbox's first program.
 */

interface Architecture {
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly audit: number;
  /** Which column of {@link forbidden} is its. */
  readonly column: 0 | 1;
  readonly clone: number;
  readonly clone3: number;
  readonly socket: number;
  readonly ioctl: number;
  readonly kill: number;
}

const architectures: Readonly<Record<string, Architecture>> = {
  x64: { audit: 0xc000003e, column: 0, clone: 56, clone3: 435, socket: 41, ioctl: 16, kill: 62 },
  arm64: { audit: 0xc00000b7, column: 1, clone: 220, clone3: 435, socket: 198, ioctl: 29, kill: 129 },
};

/** Refused with EPERM: the numbers on x64 and on arm64; -1 where there is none. */
const forbidden: Readonly<Record<string, readonly [number, number]>> = {
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  unshare: [272, 97],
  setns: [308, 268],
  add_key: [248, 217],
  request_key: [249, 218],
  keyctl: [250, 219],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  process_madvise: [440, 440],
  kcmp: [312, 272],
  pidfd_getfd: [438, 438],
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  reboot: [169, 142],
  swapon: [167, 224],
  swapoff: [168, 225],
  acct: [163, 89],
  quotactl: [179, 60],
  quotactl_fd: [443, 443],
  syslog: [103, 116],
  iopl: [172, -1],
  ioperm: [173, -1],
  modify_ldt: [154, -1],
  uselib: [134, -1],
  name_to_handle_at: [303, 264],
  open_by_handle_at: [304, 265],
  lookup_dcookie: [212, 18],
  nfsservctl: [180, 42],
  fanotify_init: [300, 262],
  memfd_secret: [447, 447],
  vhangup: [153, 58],
};

/** Refused as if the kernel didn't have them: programs then do it in another way. */
const unknown: Readonly<Record<string, readonly [number, number]>> = { memfd_create: [319, 279] };

/** AF_UNIX, AF_INET, AF_INET6, AF_NETLINK. */
const socketFamilies = [1, 2, 10, 16];
/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. */
const NEW_NAMESPACE = 0x7e02_0000;
/** TIOCSTI types into somebody's terminal, TIOCLINUX too. */
const terminalTricks = [0x5412, 0x541c];
/** Everybody; bubblewrap's own process; the supervisor and its group. */
const untouchable = [0xffff_ffff, 1, 2, 0xffff_fffe];

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;
const ALLOW = 0x7fff_0000;
const KILL_PROCESS = 0x8000_0000;
const refuse = (errno: number) => 0x0005_0000 | errno;

/** BPF_LD|BPF_W|BPF_ABS, BPF_JMP|BPF_JEQ|BPF_K, BPF_JMP|BPF_JGE|BPF_K, BPF_JMP|BPF_JSET|BPF_K, BPF_RET|BPF_K. */
const LOAD = 0x20;
const EQUALS = 0x15;
const AT_LEAST = 0x35;
const HAS_BITS = 0x45;
const RETURN = 0x06;

/** Offsets in `struct seccomp_data`; of an argument the low half, which is all that the kernel looks at of these. */
const NUMBER = 0;
const ARCH = 4;
const argument = (index: number) => 16 + 8 * index;

type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, value: number];

const load = (offset: number): Instruction => [LOAD, 0, 0, offset];
const end = (action: number): Instruction => [RETURN, 0, 0, action];
/** `then` follows where the value is this one; else it is skipped. */
const when = (value: number, then: readonly Instruction[]): Instruction[] => [
  [EQUALS, 0, then.length, value],
  ...then,
];

/** The filter for a kind of processor (`process.arch`), or undefined where there is none. */
export function systemCallFilter(arch: string): Uint8Array | undefined {
  const known = architectures[arch];
  return known === undefined ? undefined : assembled(instructions(known));
}

function instructions(known: Architecture): Instruction[] {
  const { audit, column, clone, clone3, socket, ioctl, kill } = known;
  const refused = (calls: typeof forbidden, errno: number) =>
    Object.values(calls)
      .map((numbers) => numbers[column] ?? -1)
      .filter((number) => number >= 0)
      .flatMap((number) => when(number, [end(refuse(errno))]));
  return [
    load(ARCH),
    [EQUALS, 1, 0, audit],
    end(KILL_PROCESS),
    load(NUMBER),
    // The x32 calls have numbers of their own, above all others.
    [AT_LEAST, 0, 1, 0x4000_0000],
    end(refuse(ENOSYS)),
    ...refused(forbidden, EPERM),
    ...refused(unknown, ENOSYS),
    // Its flags are in memory, where a filter can't see them; the C library falls back to clone.
    ...when(clone3, [end(refuse(ENOSYS))]),
    ...when(clone, [load(argument(0)), [HAS_BITS, 0, 1, NEW_NAMESPACE], end(refuse(EPERM)), end(ALLOW)]),
    ...when(socket, [
      load(argument(0)),
      ...socketFamilies.flatMap((family) => when(family, [end(ALLOW)])),
      end(refuse(EAFNOSUPPORT)),
    ]),
    ...when(ioctl, [
      load(argument(1)),
      ...terminalTricks.flatMap((trick) => when(trick, [end(refuse(EPERM))])),
      end(ALLOW),
    ]),
    ...when(kill, [
      load(argument(0)),
      ...untouchable.flatMap((pid) => when(pid, [end(refuse(EPERM))])),
      end(ALLOW),
    ]),
    end(ALLOW),
  ];
}

/** Both kinds of processors are little-endian: u16 code, u8 jt, u8 jf, u32 k. */
function assembled(program: readonly Instruction[]): Uint8Array {
  const bytes = Buffer.alloc(8 * program.length);
  for (const [index, [code, ifTrue, ifFalse, value]] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(ifTrue, 8 * index + 2);
    bytes.writeUInt8(ifFalse, 8 * index + 3);
    bytes.writeUInt32LE(value >>> 0, 8 * index + 4);
  }
  return bytes;
}
