import { createClient } from "troupe/client";
import type { registry } from "./registry.ts";

const client = createClient<typeof registry>("http://127.0.0.1:45823");
console.log(await client.counter.getOrCreate(["visits"]).increment(1));
