/**
 * A plugin of OpenCode: asks the gateway before a tool runs, in OpenCode's own process. It runs there, in another runtime, so it
 * imports nothing. What couldn't be asked doesn't run.
 */

interface Call {
  readonly tool: string;
  readonly sessionID: string;
}

/** OpenCode calls it at its start. */
export async function TroupePlugin() {
  const gateway = process.env["TROUPE_GATEWAY_URL"];
  return {
    "tool.execute.before": async ({ tool, sessionID }: Call, { args }: { readonly args: unknown }) => {
      const answer = await fetch(`${gateway}/hooks/tool`, {
        method: "POST",
        body: JSON.stringify({ name: tool, args, session: sessionID }),
      });
      const { decision, reason, error } = await answer.json();
      if (decision !== "allow") throw new Error(reason ?? error?.message ?? "refused");
    },
  };
}
