/** Tool decisions: what an agent is answered that asks whether a tool may run, as a mark of the trace, and as that mark is read back. */
import type { Relay } from "@troupe/relay";

/** The answer of `POST /hooks/tool`. */
export interface ToolDecision {
  readonly decision: "allow" | "deny";
  /** The middleware that objected or failed, or whose change the agent can't be told; null where none did. */
  readonly by: string | null;
  readonly reason: string | null;
}

/** The scope of a question. */
export const QUESTION = "hooks.tool";

const MARK = "tool.decision";

/** Tells of one, in the scope of the question. `tool`: null where the question couldn't be read. */
export function tellDecision(
  relay: Relay,
  tool: string | null,
  decision: ToolDecision & { readonly rewritten?: true },
): void {
  relay.event(MARK, { data: { tool, ...decision } });
}

/** What a mark tells of a decision. */
export interface ToldDecision {
  readonly tool: string;
  /** Why not, and who says so; undefined: the tool may run. */
  readonly refusal: string | undefined;
}

/** Undefined for any other mark. */
export function readDecision(mark: {
  readonly name: unknown;
  readonly data: unknown;
}): ToldDecision | undefined {
  if (mark.name !== MARK) return undefined;
  const { tool, decision, by, reason } = Object(mark.data);
  const words = typeof reason === "string" && reason !== "" ? reason : "refused";
  return {
    tool: typeof tool === "string" ? tool : "",
    refusal: decision === "allow" ? undefined : saidBy(words, by),
  };
}

/** A reason, with whose it is. */
export function saidBy(reason: string, by: unknown): string {
  return typeof by === "string" && by !== "" && !reason.includes(`"${by}"`) ? `${reason} (${by})` : reason;
}
