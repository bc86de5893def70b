/** Devices: `/dev` is the machine's, with both drivers. What an image has there, from an earlier version or an archive of somebody's, is passed over. */

/** Where they are. */
export const DEVICES = "/dev";

/** Whether a path is no file of a sandbox's own. */
export function isDevice(path: string): boolean {
  return path === DEVICES || path.startsWith(`${DEVICES}/`);
}
