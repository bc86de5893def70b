/** Personal data stays out of what is recorded of an agent's work, and in the work itself. */
import { createRelay } from "troupe/relay";
import { ComponentSpec } from "troupe/relay/pii-redaction";
import { createComponents } from "troupe/relay/plugin";

const relay = createRelay();
relay.registerSubscriber("record", (event) => {
  if (event.data !== null) console.log(`recorded ${event.name}: ${JSON.stringify(event.data)}`);
});
await using _active = await createComponents(relay).initialize({
  version: 1,
  components: [
    ComponentSpec({
      profiles: [
        { action: "mask", detector: "email" },
        { action: "redact", detector: "phone", replacement: "[phone]" },
        { action: "remove", target_path_globs: ["/**/note"] },
      ],
    }),
  ],
});

const customer = {
  name: "Ann",
  mail: "ann@example.com",
  phone: "+1 (415) 555-2671",
  note: "knows the owner",
};
const { result } = await relay.toolCallExecute("find-customer", { mail: customer.mail }, () => ({
  result: customer,
}));
console.log(`worked with: ${JSON.stringify(result)}`);
await relay.flushSubscribers();
