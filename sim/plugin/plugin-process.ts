/**
 * PluginProcess: a process that is a plugin, and speaks plugin/v1 for the actors that it has.
 *
 * Its code runs in a process of its own: when that is killed, in the middle of a turn or not, nothing that it says from then
 * on is heard. It ends with the server, as a plugin's process ends with its parent.
 */

import { encodeDeclaration } from "@troupe/protocol/actor/v1";
import {
  encodingNumber,
  type HostFrame,
  PLUGIN_VERSIONS,
  type PluginFrame,
} from "@troupe/protocol/plugin/v1";
import type { AnyActorDefinition } from "@troupe/runtime";
import { Guest } from "../../packages/runtime/src/guest/guest.ts";
import { SimProcess } from "../world/process.ts";
import type { World } from "../world/world.ts";

/** What a plugin's process is made of. */
export interface PluginProcessParts {
  readonly world: World;
  readonly name: string;
  readonly use: Readonly<Record<string, AnyActorDefinition>>;
  /** It never answers Hello. */
  readonly mute: boolean;
  /** Sends a frame to the host, in order. */
  readonly say: (frame: PluginFrame) => void;
}

/** A plugin that runs. */
export class PluginProcess {
  readonly machine: SimProcess;
  readonly #parts: PluginProcessParts;
  readonly #guest: Guest;

  constructor(parts: PluginProcessParts) {
    this.#parts = parts;
    this.machine = new SimProcess(parts.name, parts.world);
    this.#guest = new Guest({
      env: this.machine.env,
      use: parts.use,
      send: (value) => parts.say({ body: { $case: "actor", value } }),
    });
  }

  heard({ body }: HostFrame): void {
    if (body?.$case === "hello") this.#greet();
    else if (body?.$case === "actor") this.#guest.receive(body.value);
  }

  kill(): void {
    this.machine.kill();
  }

  #greet(): void {
    const { mute, say } = this.#parts;
    if (mute) return;
    const [version = 1] = PLUGIN_VERSIONS;
    say({
      body: {
        $case: "ready",
        value: {
          version,
          encoding: encodingNumber("cbor"),
          name: "simulated",
          pluginVersion: "1.0.0",
          actors: this.#guest.declarations.map(encodeDeclaration),
          middleware: [],
        },
      },
    });
  }
}
