/** Asks the assistant for four things, two of which it may not do, and shows what was told of them. */
import { isGuardrailRejected } from "troupe/relay";
import { registry, relay } from "./assistant.ts";

relay.registerSubscriber("print", (event) => {
  if (event.kind === "scope" && event.category === "tool" && event.scope_category === "start")
    console.log(`  told: ${event.name} ${JSON.stringify(event.data)}`);
});

await registry.start({ durability: "memory", port: 0, banner: false, signals: false });
const assistant = (await registry.client()).assistant.getOrCreate();
const wishes = [
  () => assistant.read("https://example.org/news"),
  () => assistant.read("http://payroll.internal/salaries"),
  () => assistant.write("ann@example.org", "The door's code is 4711."),
  () => assistant.forget("diary.txt"),
];
for (const wish of wishes) {
  const answer = await wish().catch((error: unknown) => {
    if (!isGuardrailRejected(error)) throw error;
    return `refused by ${String(error.metadata?.["by"])}: ${String(error.metadata?.["reason"])}`;
  });
  await relay.flushSubscribers();
  console.log(answer);
}
await registry.stop();
