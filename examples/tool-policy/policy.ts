/** What the assistant may do, in one place, whoever wrote its tools. */
import type { Relay } from "troupe/relay";

/** Places that nothing is sent to. */
const forbidden = /(^|\.)internal$/;

/** Puts the rules into force. */
export function enforcePolicy(relay: Relay): void {
  relay.registerToolConditionalExecutionGuardrail("no-deletes", ({ toolName }) =>
    toolName.startsWith("delete") ? "the assistant deletes nothing" : null,
  );
  relay.registerToolConditionalExecutionGuardrail("no-internal-hosts", ({ toolName, args }) =>
    toolName === "fetch" && forbidden.test(hostOf(args)) ? `${hostOf(args)} is internal` : null,
  );
  // Events tell who was written to, never what.
  relay.registerToolSanitizeRequestGuardrail("letters-are-private", ({ toolName, value }) =>
    toolName === "send-mail" ? { ...Object(value), text: "…" } : value,
  );
}

function hostOf(args: unknown): string {
  const { url } = Object(args);
  return typeof url === "string" && URL.canParse(url) ? new URL(url).hostname : "";
}
