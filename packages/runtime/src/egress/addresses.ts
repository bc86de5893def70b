/**
 * Which addresses a name may lead to. It is resolved once, and the connection goes to what was looked at: a name whose answer
 * changes between look and connection (rebinding) gains nothing.
 */
import { lookup } from "node:dns/promises";
import { BlockList, isIP } from "node:net";
import { networkErrors } from "./errors.ts";

/** An address to connect to. */
export interface Address {
  readonly address: string;
  readonly family: number;
}

/** Asks the system for all addresses of a name. */
export type Resolver = (host: string) => Promise<readonly Address[]>;

type Range = readonly [address: string, prefix: number];

const neverV4: readonly Range[] = [
  ["0.0.0.0", 8],
  ["169.254.0.0", 16],
  ["168.63.129.16", 32],
  ["100.100.100.200", 32],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
];

/** Links, metadata of clouds, groups, however they are written, and tunnels that may lead there: for nobody, whatever the list says. */
const never = blockList([
  ...neverV4,
  ...neverV4.flatMap(inV6),
  ["64:ff9b:1::", 48],
  ["2001::", 32],
  ["fe80::", 10],
  ["fd00:ec2::254", 128],
  ["ff00::", 8],
]);

/** This machine and private networks, and ways to write them in IPv6. */
const inside = blockList([
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.168.0.0", 16],
  ["198.18.0.0", 15],
  ["::", 96],
  ["64:ff9b::", 96],
  ["64:ff9b:1::", 48],
  ["2001::", 32],
  ["2002::", 16],
  ["fc00::", 7],
]);

/** The system's resolver. */
export const systemResolver: Resolver = (host) => lookup(host, { all: true, verbatim: true });

/** The address of a host, looked at. Rejects with `network.unresolved`, `network.denied`. */
export async function addressOf(
  hostname: string,
  resolve: Resolver,
  mayBePrivate: boolean,
): Promise<Address> {
  const host = hostname.replace(/^\[|\]$/g, "");
  const family = isIP(host);
  const found = family === 0 ? await resolved(host, resolve) : [{ address: host, family }];
  const [first] = found;
  if (first === undefined) throw networkErrors.unresolved(host, "it has no address");
  for (const { address } of found) {
    if (matches(never, address)) throw networkErrors.denied(host, "its address is for nobody");
    if (!mayBePrivate && matches(inside, address))
      throw networkErrors.denied(
        host,
        "its address is a private one, and its entry of the allow list doesn't say `private: true`",
      );
  }
  return first;
}

async function resolved(host: string, resolve: Resolver): Promise<readonly Address[]> {
  try {
    return await resolve(host);
  } catch (cause) {
    throw networkErrors.unresolved(host, cause);
  }
}

/** What is no address is on every list. */
function matches(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family === 0 || list.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** A range of IPv4 as IPv6 carries it: translated (RFC 6052), by 6to4 (RFC 3056), and by the old compatible form (RFC 4291). */
function inV6([address, prefix]: Range): Range[] {
  const [a = 0, b = 0, c = 0, d = 0] = address.split(".").map(Number);
  const halves = `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  const translated: Range[] = [
    [`64:ff9b::${halves}`, 96 + prefix],
    [`2002:${halves}::`, 16 + prefix],
  ];
  // The compatible form of 0.0.0.0/8 has the loopback address of IPv6 in it.
  return a === 0 ? translated : [...translated, [`::${halves}`, 96 + prefix]];
}

function blockList(ranges: readonly Range[]): BlockList {
  const list = new BlockList();
  for (const [address, prefix] of ranges)
    list.addSubnet(address, prefix, isIP(address) === 4 ? "ipv4" : "ipv6");
  return list;
}
