/** A client of one kind of actor, in a world and before a gateway of the test's. */
import type { Encoding } from "@troupe/protocol";
import type { ClientConfig } from "../../src/config.ts";
import { createClient } from "../../src/create-client.ts";
import type { Client } from "../../src/types.ts";
import { Gateway } from "./gateway.ts";
import { World } from "./world.ts";

interface RoomTypes {
  readonly actions: {
    say: (c: object, text: string) => string;
    act: (c: object) => number;
    admin: { kick: (c: object, who: string) => void };
  };
  readonly events: { readonly message: [text: string]; readonly moved: [x: number, y: number] };
  readonly params: { readonly token: string };
  readonly input: { readonly topic: string };
}

/** What the tests' registry declares. */
export interface RoomRegistry {
  readonly "~types"?: { readonly use: { readonly room: { readonly "~types"?: RoomTypes } } };
}

export interface Stage {
  readonly world: World;
  readonly gateway: Gateway;
  readonly client: Client<RoomRegistry>;
}

export function stage(config: Omit<ClientConfig, "env" | "transport"> = {}): Stage {
  const world = new World();
  const encoding: Encoding = config.encoding ?? "json";
  const gateway = new Gateway(encoding);
  const client = createClient<RoomRegistry>({ ...config, env: world, transport: gateway });
  return { world, gateway, client };
}
