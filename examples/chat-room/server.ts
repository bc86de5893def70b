import { setup } from "troupe";
import { chatRoom } from "./actor.ts";
import { servePage } from "./serve-page.ts";

export const registry = setup({ use: { chatRoom }, fetch: servePage });

await registry.start();
