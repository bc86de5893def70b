/**
 * A native library whose functions the test plays, behind the real carrier and a real pipe: it can do on the ABI what no
 * honest plugin does.
 */
import type { TroupeError } from "@troupe/base";
import {
  type HostFrame,
  HostFrameCodec,
  type PluginFrame,
  PluginFrameCodec,
} from "@troupe/protocol/plugin/v1";
import type { Carrier } from "../../src/carrier.ts";
import { importFfi, type NativeLibrary } from "../../src/carriers/native/ffi.ts";
import { openPlugin } from "../../src/carriers/native/native-carrier.ts";

export class ScriptedLibrary implements NativeLibrary {
  /** Bytes that are pulled next, as they are. */
  out = Buffer.alloc(0);
  /** What `push` gives, one after the other; then 0. */
  readonly pushStatus: number[] = [];
  /** What `pull` gives instead of the bytes. */
  pullStatus: number | undefined;
  closeStatus = 0;
  /** Called at each pull, before it. */
  onPull: () => void = () => {};
  readonly pushed: HostFrame[] = [];
  readonly calls: string[] = [];
  wake = 0;
  #inside = false;

  abi(): number {
    return 0x10000;
  }

  unload(): void {}

  pin(): void {}

  open(host: { wake: number }): Promise<{ status: number; plugin: bigint }> {
    this.wake = host.wake;
    return Promise.resolve({ status: 0, plugin: 1n });
  }

  push(_plugin: bigint, frames: Uint8Array, bytes: number): number {
    return this.#alone("push", () => {
      const status = this.pushStatus.shift() ?? 0;
      if (status !== 0) return status;
      const view = Buffer.from(frames.buffer, frames.byteOffset, bytes);
      for (let at = 0; at < bytes; at += 4 + view.readUInt32LE(at))
        this.pushed.push(HostFrameCodec.decode(view.subarray(at + 4, at + 4 + view.readUInt32LE(at))));
      return 0;
    });
  }

  pull(_plugin: bigint, into: Uint8Array): number {
    return this.#alone("pull", () => {
      this.onPull();
      if (this.pullStatus !== undefined) return this.pullStatus;
      if (this.out.byteLength > into.byteLength) return -this.out.byteLength;
      into.set(this.out);
      const size = this.out.byteLength;
      this.out = Buffer.alloc(0);
      return size;
    });
  }

  close(): Promise<number> {
    this.calls.push("close");
    return Promise.resolve(this.closeStatus);
  }

  /** Queues a frame, for the next pull. */
  say(frame: PluginFrame): void {
    this.out = Buffer.concat([this.out, framed(PluginFrameCodec.encode(frame))]);
  }

  #alone(what: string, run: () => number): number {
    if (this.#inside) throw new Error(`${what} inside of another call`);
    if (this.calls.includes("close")) throw new Error(`${what} after close`);
    this.calls.push(what);
    this.#inside = true;
    try {
      return run();
    } finally {
      this.#inside = false;
    }
  }
}

/** Bytes with their length before them. */
export function framed(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.byteLength);
  return Buffer.concat([length, bytes]);
}

export interface Played {
  readonly library: ScriptedLibrary;
  readonly carrier: Carrier;
  readonly heard: PluginFrame[];
  /** With what the carrier ended, `closed` for nothing. */
  ended: () => string | undefined;
}

/** An open carrier of a scripted library. */
export async function played(onFrame: (frame: PluginFrame) => void = () => {}): Promise<Played> {
  const library = new ScriptedLibrary();
  const heard: PluginFrame[] = [];
  const ends: string[] = [];
  const carrier = await openPlugin({
    ffi: await importFfi(),
    library,
    config: new Uint8Array(0),
    events: {
      frame: (frame) => {
        heard.push(frame);
        onFrame(frame);
      },
      ended: (error: TroupeError | undefined) => {
        ends.push(error === undefined ? "closed" : `${error.group}.${error.code}`);
      },
    },
  });
  return {
    library,
    carrier,
    heard,
    ended: () => {
      if (ends.length > 1) throw new Error("ended more than once");
      return ends[0];
    },
  };
}
