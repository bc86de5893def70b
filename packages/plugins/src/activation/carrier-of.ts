/** The carrier that a plugin's manifest asks for. */
import type { OpenCarrier } from "../carrier.ts";
import { nativeCarrier } from "../carriers/native/native-carrier.ts";
import { workerCarrier } from "../carriers/worker/worker-carrier.ts";
import { checkFile, type Origin } from "../manifest/checked-file.ts";
import type { NativeLoad, PluginManifest } from "../manifest/manifest.ts";

/** How to start the plugin. */
export function carrierOf({ id, origin, load }: PluginManifest): OpenCarrier {
  return load.kind === "worker" ? workerCarrier({ plugin: id, origin, load }) : checkedLibrary(origin, load);
}

/** The carrier compares the digest again, with the bytes that it loads: the name may mean another file by then. */
function checkedLibrary(origin: Origin, { library, sha256 }: NativeLoad): OpenCarrier {
  return async (events) => {
    const { path } = await checkFile({ origin, key: "load.library", path: library, sha256 });
    return await nativeCarrier({ library: path, sha256 })(events);
  };
}
