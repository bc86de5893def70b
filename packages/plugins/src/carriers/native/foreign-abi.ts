/**
 * Libraries of other hosts: recognised by names that stand in their files, so that whoever brings one learns what it is and where
 * it says how to move it. Asked only of a library that lacks our own functions.
 */
interface ForeignAbi {
  readonly host: string;
  /** What its libraries export, or ask their host for. */
  readonly mark: string;
  readonly page: string;
}

const known: readonly ForeignAbi[] = [
  { host: "RivetKit", mark: "rivet_actor_abi_", page: "docs/moving-from-rivetkit.md" },
  { host: "NeMo Relay", mark: "nemo_relay_", page: "docs/moving-from-nemo-relay.md" },
];

/** Whose library it is; undefined: nobody's that we know. */
export function foreignAbiOf(bytes: Buffer): ForeignAbi | undefined {
  return known.find(({ mark }) => bytes.includes(mark));
}
