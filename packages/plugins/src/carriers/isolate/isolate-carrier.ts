/**
 * The isolate carrier: one isolate with one source, in the runtime's isolate process.
 */
import { HostFrameCodec, PluginFrameCodec } from "@troupe/protocol/plugin/v1";
import type { Carrier, CloseReport, OpenCarrier } from "../../carrier.ts";
import { pluginErrors } from "../../errors.ts";
import type { IsolateProcess } from "./isolate-process.ts";
import type { IsolateOrder } from "./wire.ts";

/** Starts an isolate. Rejects with `dynamic.*`, `package.missing`; nothing is left of it then. */
export function isolateCarrier(process: IsolateProcess, order: IsolateOrder, actorId?: string): OpenCarrier {
  return (events) =>
    new Promise((resolve, reject) => {
      const closed = Promise.withResolvers<CloseReport>();
      let loaded = false;
      let ended = false;
      const isolate = process.create(order, {
        actor: { actor: order.name, ...(actorId !== undefined && { actorId }) },
        loaded: () => {
          loaded = true;
          resolve(carrier);
        },
        frame: (bytes) => {
          if (ended) return;
          let frame: ReturnType<typeof PluginFrameCodec.decode>;
          try {
            frame = PluginFrameCodec.decode(bytes);
          } catch (cause) {
            ended = true;
            events.ended(pluginErrors.violation("a frame that can't be read", cause));
            return;
          }
          events.frame(frame);
        },
        ended: (error) => {
          closed.resolve({ clean: true });
          if (!loaded) reject(error ?? pluginErrors.closed());
          else if (!ended) events.ended(error);
          ended = true;
        },
      });
      const carrier: Carrier = {
        send: (frame) => process.send(isolate, HostFrameCodec.encode(frame)),
        close: () => {
          process.dispose(isolate);
          return closed.promise;
        },
      };
    });
}
