/**
 * A plugin whose code is one source in an isolate: the isolate carrier with a process of its own, which begins and ends with
 * the plugin. Plugins share no process, so that the end of one's is no other's; a process that is lost is the end of this
 * carrier, and whoever wants the plugin back opens another.
 */
import { limits } from "@troupe/protocol";
import type { OpenCarrier } from "../../carrier.ts";
import { isolateCarrier } from "./isolate-carrier.ts";
import { IsolateProcess, type IsolateProcessEnv } from "./isolate-process.ts";

/** What an isolate's plugin is opened with. */
export interface IsolatePluginOptions {
  /** The host's: by it the process is watched. */
  readonly env: IsolateProcessEnv;
  /** The name of its actor: the plugin's id. */
  readonly name: string;
  /** Brings the source, which was checked: an ES module whose default export is what `actor({ … })` gives. */
  readonly source: () => Promise<Uint8Array>;
  /** The source is TypeScript. */
  readonly typescript: boolean;
}

/** Opens one. Rejects as `source` does, and with `dynamic.*`, `package.missing`; nothing is left of it then. */
export function isolatePlugin({ env, name, source, typescript }: IsolatePluginOptions): OpenCarrier {
  return async (events) => {
    const text = new TextDecoder().decode(await source());
    const process = new IsolateProcess(env);
    const order = {
      name,
      source: text,
      typescript,
      // Its manifest says, and the runtime asks it.
      asks: ["events", "calls"] as const,
      memoryLimit: limits.isolateMemoryMb,
      timeLimitMs: limits.isolateTimeMs,
    };
    const ended = (error: Parameters<typeof events.ended>[0]): void => {
      events.ended(error);
      void process.close();
    };
    try {
      const carrier = await isolateCarrier(process, order)({ frame: (frame) => events.frame(frame), ended });
      return {
        send: (frame) => carrier.send(frame),
        close: async (timeoutMs) => {
          const report = await carrier.close(timeoutMs);
          await process.close();
          return report;
        },
      };
    } catch (error) {
      await process.close();
      throw error;
    }
  };
}
