/**
 * CheckedSandbox: an activation's sandbox as its actions use it. What a caller sent is checked before anything boots.
 * Methods reject with `sandbox.*`.
 */
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../errors.ts";
import { packImage, unpackImage } from "./archive.ts";
import { bytesOf, checkOptions, checkText, execOptions, placeOf } from "./arguments.ts";
import type { SandboxProcessInfo } from "./process.ts";
import type { DirectoryEntry, ExecOptions, ExecResult, FileStat } from "./sandbox.ts";
import type { SandboxSlot } from "./sandbox-slot.ts";
import type { Snapshots } from "./snapshots.ts";

/** Options of `exportRootFilesystem`. */
export interface ExportOptions {
  /** A larger archive is refused. Default and most: 7 MiB. */
  readonly maxBytes?: number;
  /** The files of this snapshot. Default: the sandbox's own, as they are now. */
  readonly snapshotId?: string;
}

/** Files and commands for callers. */
export class CheckedSandbox {
  readonly #slot: SandboxSlot;
  readonly #snapshots: Snapshots;

  constructor(slot: SandboxSlot, snapshots: Snapshots) {
    this.#slot = slot;
    this.#snapshots = snapshots;
  }

  async exec(command: string, options?: ExecOptions): Promise<ExecResult> {
    checkText("command", command);
    const checked = execOptions(options);
    return (await this.#slot.get()).exec(command, checked);
  }

  /** Nothing boots for it. */
  async processes(): Promise<SandboxProcessInfo[]> {
    return this.#slot.up ? await (await this.#slot.get()).processes() : [];
  }

  async readFile(path: string): Promise<Uint8Array> {
    const at = placeOf("path", path);
    return (await this.#slot.get()).readFile(at);
  }

  async writeFile(path: string, content: string | Uint8Array): Promise<void> {
    const at = placeOf("path", path);
    const bytes = bytesOf(content);
    await (await this.#slot.get()).writeFile(at, bytes);
  }

  async stat(path: string): Promise<FileStat> {
    const at = placeOf("path", path);
    return (await this.#slot.get()).stat(at);
  }

  async exists(path: string): Promise<boolean> {
    const at = placeOf("path", path);
    return (await this.#slot.get()).exists(at);
  }

  async readdir(path: string): Promise<DirectoryEntry[]> {
    const at = placeOf("path", path);
    return (await this.#slot.get()).readdir(at);
  }

  async mkdir(path: string, options?: { readonly recursive?: boolean }): Promise<void> {
    const at = placeOf("path", path);
    await (await this.#slot.get()).mkdir(at, options);
  }

  async move(from: string, to: string): Promise<void> {
    const [source, target] = [placeOf("from", from), placeOf("to", to)];
    await (await this.#slot.get()).move(source, target);
  }

  async remove(path: string, options?: { readonly recursive?: boolean }): Promise<void> {
    const at = placeOf("path", path);
    await (await this.#slot.get()).remove(at, options);
  }

  async export(options: ExportOptions = {}): Promise<Uint8Array> {
    checkOptions("exportRootFilesystem", options, ["maxBytes", "snapshotId"]);
    const { maxBytes = limits.sandboxArchiveBytes, snapshotId } = options;
    if (!Number.isSafeInteger(maxBytes) || maxBytes < 1 || maxBytes > limits.sandboxArchiveBytes)
      throw sandboxErrors.invalidArgument("maxBytes", `a number from 1 to ${limits.sandboxArchiveBytes}`);
    const kept = snapshotId === undefined ? undefined : await this.#snapshots.image(String(snapshotId));
    return await packImage(kept ?? (await (await this.#slot.get()).snapshot()), maxBytes);
  }

  async import(archive: Uint8Array): Promise<void> {
    if (!(archive instanceof Uint8Array)) throw sandboxErrors.invalidArgument("archive", "bytes");
    const image = await unpackImage(archive);
    await (await this.#slot.get()).restore(image);
  }
}
