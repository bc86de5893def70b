/**
 * The program that a native plugin runs in by default: a worker to the host, and a host to the library.
 *
 *   host ◀── gRPC ──▶ this process ◀── the ABI ──▶ library
 *
 * Frames pass as they are. The library is opened with Hello's configuration; when it can't be, that is the answer to Hello,
 * with the real cause. A library that crashes takes this process with it, and nothing else: the host sees how it ended.
 */
import { limits } from "@troupe/protocol";
import { toCarriedError } from "@troupe/protocol/actor/v1";
import type { HostFrame } from "@troupe/protocol/plugin/v1";
import type { Carrier } from "../carrier.ts";
import { nativeCarrier } from "../carriers/native/native-carrier.ts";
import { type HandedLibrary, readHandedOver } from "./handed-over.ts";
import { connectToHost } from "./host-link.ts";

const { library, sha256 } = await readHandedOver<HandedLibrary>();

/** Frames that come while the library opens; undefined when it is open. */
let early: HostFrame[] | undefined = [];
let carrier: Carrier | undefined;

const link = await connectToHost({
  frame: (frame) => {
    if (carrier === undefined) early?.push(frame);
    else carrier.send(frame);
    if (frame.body?.$case === "hello") void open(frame.body.value.config);
  },
  ended: () => void end(),
});

async function open(config: Uint8Array): Promise<void> {
  try {
    carrier = await nativeCarrier({ library, config, ...(sha256 !== null && { sha256 }) })({
      frame: (frame) => link.send(frame),
      ended: (error) => {
        if (error !== undefined) fail(error);
      },
    });
    for (const frame of early ?? []) carrier.send(frame);
  } catch (error) {
    link.send({ body: { $case: "failed", value: { error: toCarriedError(error, "json") } } });
  }
  early = undefined;
}

/** The library broke the contract of its carrier: the host learns it as this process's last words. */
function fail(error: Error): void {
  process.stderr.write(`${error.message}\n`, () => process.exit(1));
}

async function end(): Promise<void> {
  await carrier?.close(limits.pluginCloseTimeoutMs);
  process.exit(0);
}
