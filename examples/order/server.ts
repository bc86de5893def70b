import { registry } from "./actor.ts";

await registry.start();
