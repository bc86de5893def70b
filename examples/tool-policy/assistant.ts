import { actor, setup } from "troupe";
import { createRelay } from "troupe/relay";
import { enforcePolicy } from "./policy.ts";

export const relay = createRelay();
enforcePolicy(relay);

/** An assistant whose tools a model might ask for: here its caller does. */
const assistant = actor({
  state: { sent: 0 },
  actions: {
    read: (c, url: string) => c.tool("fetch", { url }, async (args) => `the text of ${args.url}`),
    write: (c, to: string, text: string) =>
      c.tool("send-mail", { to, text }, (args) => {
        c.state.sent += 1;
        return `letter ${c.state.sent} to ${args.to}`;
      }),
    forget: (c, file: string) => c.tool("delete-file", { file }, () => "gone"),
  },
});

export const registry = setup({ use: { assistant }, relay });
