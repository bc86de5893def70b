import { registry } from "./registry.ts";

await registry.start();
