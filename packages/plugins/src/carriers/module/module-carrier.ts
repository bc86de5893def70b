/**
 * Module carrier: a plugin that is JavaScript in this process. Frames are handed over as objects; nothing is encoded for it.
 *
 * A frame arrives in a microtask of its own turn, never while its sender still speaks: the session and the plugin call each
 * other as two processes would. What the plugin throws while it hears ends it, and not the host. It can't be stopped: a
 * module that loops is the host's own loop, which is why it is for those who trust it.
 */
import { TroupeError } from "@troupe/base";
import type { HostFrame, PluginFrame } from "@troupe/protocol/plugin/v1";
import type { Carrier, CarrierEvents, CloseReport, OpenCarrier } from "../../carrier.ts";
import { pluginErrors } from "../../errors.ts";

/** The plugin's end. */
export interface PluginSide {
  heard(frame: HostFrame): void;
  /** The host is gone: nobody waits for anything. */
  ended(): void;
}

/** Starts the plugin's end; `send` says something to the host. */
export type StartPluginSide = (send: (frame: PluginFrame) => void) => Promise<PluginSide>;

/** Opens a plugin of this process. Rejects as `start` does. */
export function moduleCarrier(start: StartPluginSide): OpenCarrier {
  return async (events) => {
    const carrier = new ModuleCarrier(events);
    carrier.attach(await start((frame) => carrier.said(frame)));
    return carrier;
  };
}

/** Its reactions are microtasks in their sender's async context, at a fraction of what Node's `queueMicrotask` costs. */
const NOW = Promise.resolve();

const CLEAN: CloseReport = { clean: true };

class ModuleCarrier implements Carrier {
  readonly #events: CarrierEvents;
  #side: PluginSide | undefined;
  #over = false;

  constructor(events: CarrierEvents) {
    this.#events = events;
  }

  attach(side: PluginSide): void {
    this.#side = side;
  }

  send(frame: HostFrame): void {
    if (!this.#over) void NOW.then(() => this.#deliver(frame));
  }

  said(frame: PluginFrame): void {
    if (this.#over) return;
    void NOW.then(() => {
      if (!this.#over) this.#events.frame(frame);
    });
  }

  /** Goodbye was sent a moment ago, and is heard first. */
  async close(): Promise<CloseReport> {
    await Promise.resolve();
    this.#end(undefined);
    return CLEAN;
  }

  #deliver(frame: HostFrame): void {
    if (this.#over) return;
    try {
      this.#side?.heard(frame);
    } catch (cause) {
      this.#end(
        TroupeError.is(cause) ? cause : pluginErrors.violation("it threw while it heard a frame", cause),
      );
    }
  }

  #end(error: TroupeError | undefined): void {
    if (this.#over) return;
    this.#over = true;
    this.#side?.ended();
    this.#events.ended(error);
  }
}
