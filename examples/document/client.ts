/** Two authors write into the same sentence at the same moment. */
import { createClient } from "troupe/client";
import type { registry } from "./actor.ts";
import { Editor } from "./editor.ts";

await using client = createClient<typeof registry>(process.argv[2] ?? "http://127.0.0.1:6420");
await using ann = await Editor.open(client, "poem");
await using bo = await Editor.open(client, "poem");

ann.edit(0, 0, "Roses are red");
await ann.saved();
await bo.reached(ann.version);
console.log(bo.text);

ann.edit(10, 3, "blue");
bo.edit(13, 0, ", violets too");
console.log(`${ann.text} | ${bo.text}`);
await Promise.all([ann.reached(3), bo.reached(3)]);
console.log(`${ann.text} | ${bo.text}`);
