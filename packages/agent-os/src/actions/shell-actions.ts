/** Shells in terminals, for callers. */
import { bytesOf } from "../sandbox/arguments.ts";
import {
  checkShell,
  checkShellRange,
  checkSize,
  type ShellOptions,
  type ShellOutputRange,
} from "../shells/arguments.ts";
import type { Place } from "./place.ts";

/** What is done with shells. */
export const shellActions = {
  /** Opens a shell in a terminal. What it shows is told as `shellData`, its end as `shellExit`. */
  openShell: async (c: Place, options?: ShellOptions) => ({
    shellId: await c.vars.shells.open(checkShell(options)),
  }),
  /** What is typed: text as UTF-8, or bytes. Enter is "\r", Ctrl-C "\x03". */
  writeShell: (c: Place, shellId: string, data: string | Uint8Array) =>
    c.vars.shells.write(shellId, bytesOf(data)),
  resizeShell: (c: Place, shellId: string, cols: number, rows: number) =>
    c.vars.shells.resize(shellId, checkSize(cols, rows)),
  /** As when its window is closed; settles when it is gone. */
  closeShell: (c: Place, shellId: string) => c.vars.shells.close(shellId),
  /** The exit code, once there is one. */
  waitShell: (c: Place, shellId: string) => c.vars.shells.wait(shellId),
  /** All that run, and those that ended lately. */
  listShells: (c: Place) => c.vars.shells.list(),
  /** A part of what a shell showed; `nextCursor` is the next `after`. */
  readShellOutput: (c: Place, range: ShellOutputRange) => c.vars.shells.page(checkShellRange(range)),
};
