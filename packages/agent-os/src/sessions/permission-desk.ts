/**
 * PermissionDesk: a session's questions that a person answers, each once.
 *
 * A question is in the transcript before anybody is asked, and its answer before the agent is told: who comes late sees both.
 * It fails closed. A question that is not answered in time, that a cancel or the agent's end overtakes, or that can't be
 * stored is refused.
 */
import type { RequestPermissionRequest, RequestPermissionResponse } from "@agentclientprotocol/sdk";
import { sessionErrors } from "../errors.ts";
import type { PermissionOutcome, RuntimeUpdate } from "../session-entry.ts";

/** A question that waits for its answer. */
export interface PendingPermission {
  readonly requestId: string;
  readonly toolCall: RequestPermissionRequest["toolCall"];
  readonly options: RequestPermissionRequest["options"];
}

/** What a desk is made of. */
export interface PermissionDeskParts {
  readonly timeoutMs: number;
  readonly record: (event: RuntimeUpdate) => Promise<void>;
}

interface Question extends PendingPermission {
  readonly answer: (outcome: PermissionOutcome) => void;
}

/** The questions of one running agent. */
export class PermissionDesk {
  readonly #parts: PermissionDeskParts;
  readonly #questions = new Map<string, Question>();

  constructor(parts: PermissionDeskParts) {
    this.#parts = parts;
  }

  /** Those that nobody has answered yet, oldest first. */
  get pending(): PendingPermission[] {
    return Array.from(this.#questions.values(), ({ requestId, toolCall, options }) => ({
      requestId,
      toolCall,
      options,
    }));
  }

  /** Asks, and waits. Never rejects. */
  async ask({ toolCall, options }: RequestPermissionRequest): Promise<RequestPermissionResponse> {
    const { record, timeoutMs } = this.#parts;
    const requestId = crypto.randomUUID();
    const { promise, resolve: answer } = Promise.withResolvers<PermissionOutcome>();
    this.#questions.set(requestId, { requestId, toolCall, options, answer });
    const timer = setTimeout(() => answer({ outcome: "cancelled", reason: "timed_out" }), timeoutMs);
    try {
      await record({ sessionUpdate: "_permission_request", requestId, toolCall, options });
      const outcome = await promise;
      this.#questions.delete(requestId);
      await record({ sessionUpdate: "_permission_response", requestId, ...outcome });
      if (outcome.outcome === "cancelled") return { outcome: { outcome: "cancelled" } };
      return { outcome: { outcome: "selected", optionId: outcome.optionId } };
    } catch {
      return { outcome: { outcome: "cancelled" } };
    } finally {
      clearTimeout(timer);
      this.#questions.delete(requestId);
    }
  }

  /** Answers a question with one of its options; "not_pending" when it has its answer, or never was. Throws `session.invalid`. */
  respond(requestId: string, optionId: string): "accepted" | "not_pending" {
    const question = this.#questions.get(requestId);
    if (question === undefined) return "not_pending";
    const known = question.options.map((option) => option.optionId);
    if (!known.includes(optionId)) throw sessionErrors.invalid(`optionId must be one of ${known.join(", ")}`);
    // From here on it has its answer, though that isn't stored yet.
    this.#questions.delete(requestId);
    question.answer({ outcome: "selected", optionId });
    return "accepted";
  }

  /** Refuses what waits. */
  cancel(reason: "cancelled" | "session_ended"): void {
    for (const { answer } of this.#questions.values()) answer({ outcome: "cancelled", reason });
  }
}
