import { setup } from "troupe";
import { chatRoom } from "./actor.ts";
import { pageServer } from "./serve-page.ts";

export const registry = setup({ use: { chatRoom }, fetch: pageServer(new URL("page/", import.meta.url)) });

await registry.start();
