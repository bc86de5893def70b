/**
 * Prompts: which of them an agent may have heard of, on disk, so that none is given to it twice.
 *
 * A prompt has a row from before its agent hears of it. The row of one with an idempotency key stays, and answers whoever
 * comes with that key again; others go with their end. A row that a killed process left as "running" is uncertain: nobody
 * knows how far the agent came, so the prompt is neither repeated nor called done.
 *
 *   (no row) ──▶ running ──▶ done | failed
 *                   └── found by the next activation ──▶ uncertain
 */

import type { StopReason } from "@agentclientprotocol/sdk";
import { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import type { Database } from "@troupe/runtime";
import { sessionErrors } from "../errors.ts";

/** The result of a prompt. */
export interface PromptResult {
  readonly stopReason: StopReason;
}

/** Runs on every start of an actor: what is there already stays. */
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS session_prompts (
    number INTEGER PRIMARY KEY,
    session_id TEXT NOT NULL,
    prompt_id TEXT NOT NULL,
    keyed INTEGER NOT NULL,
    status TEXT NOT NULL,
    outcome TEXT NOT NULL,
    UNIQUE (session_id, prompt_id)
  ) STRICT`;

const BEGIN = `
  INSERT INTO session_prompts (session_id, prompt_id, keyed, status, outcome)
  VALUES (:sessionId, :promptId, :keyed, 'running', '')`;

const END = `
  UPDATE session_prompts SET status = :status, outcome = :outcome
  WHERE session_id = :sessionId AND prompt_id = :promptId`;

const PRUNE = `
  DELETE FROM session_prompts WHERE session_id = :sessionId AND number <= (
    SELECT number FROM session_prompts WHERE session_id = :sessionId ORDER BY number DESC LIMIT 1 OFFSET :kept)`;

/** Makes the table: for `onMigrate`. */
export async function migratePrompts(database: Database): Promise<void> {
  await database.execute(SCHEMA);
}

/** A prompt, by its session and its name there. */
export interface PromptName {
  readonly sessionId: string;
  readonly promptId: string;
}

interface Row {
  readonly status: "running" | "done" | "failed" | "uncertain";
  readonly outcome: string;
}

/** Gives a prompt to its agent. `delivering` is called, and waited for, before the agent hears of it: it gives the prompt's name. */
export type Deliver = (delivering: () => Promise<string>) => Promise<PromptResult>;

/** The prompts of one activation, and what is known of earlier ones. */
export class Prompts {
  readonly #database: Database;
  /** Those with a key that run now: who comes with the same key waits for the same result. */
  readonly #running = new Map<string, Promise<PromptResult>>();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Runs a prompt, or tells what became of the one with this key. Rejects with `session.prompt_uncertain` too. */
  async run(sessionId: string, key: string | undefined, deliver: Deliver): Promise<PromptResult> {
    if (key === undefined)
      return await this.#run({ sessionId, promptId: crypto.randomUUID() }, false, deliver);
    const name = { sessionId, promptId: key };
    const path = JSON.stringify([sessionId, key]);
    const running = this.#running.get(path);
    if (running !== undefined) return await running;
    const result = this.#runOnce(name, deliver);
    this.#running.set(path, result);
    try {
      return await result;
    } finally {
      this.#running.delete(path);
    }
  }

  /**
   * Finds what an earlier activation has left in the middle, oldest first: each is uncertain once `tell` has settled. A kill between the
   * two, and the next activation finds and tells it again.
   */
  async recover(tell: (name: PromptName) => Promise<void>): Promise<void> {
    const rows = await this.#database.execute<{ session_id: string; prompt_id: string; keyed: number }>(
      "SELECT session_id, prompt_id, keyed FROM session_prompts WHERE status = 'running' ORDER BY number",
    );
    for (const { session_id: sessionId, prompt_id: promptId, keyed } of rows) {
      await tell({ sessionId, promptId });
      await this.#end({ sessionId, promptId }, keyed === 1, "uncertain");
    }
  }

  /** Forgets a session's prompts. */
  async remove(sessionId: string): Promise<void> {
    await this.#database.execute("DELETE FROM session_prompts WHERE session_id = ?", sessionId);
  }

  async #runOnce(name: PromptName, deliver: Deliver): Promise<PromptResult> {
    const [row] = await this.#database.execute<Row & Record<string, unknown>>(
      "SELECT status, outcome FROM session_prompts WHERE session_id = ? AND prompt_id = ?",
      name.sessionId,
      name.promptId,
    );
    if (row === undefined) return await this.#run(name, true, deliver);
    if (row.status === "done") return JSON.parse(row.outcome) as PromptResult;
    throw sessionErrors.promptUncertain(name.sessionId, name.promptId, row.outcome);
  }

  async #run(name: PromptName, keyed: boolean, deliver: Deliver): Promise<PromptResult> {
    let delivered = false;
    try {
      const result = await deliver(async () => {
        await this.#database.execute(BEGIN, { ...name, keyed: keyed ? 1 : 0 });
        delivered = true;
        return name.promptId;
      });
      if (delivered) await this.#end(name, keyed, "done", JSON.stringify(result));
      return result;
    } catch (cause) {
      // What never reached the agent leaves no trace: the same key may try again. A row that can't be written any more
      // stays "running", and the next activation finds it.
      if (delivered) await this.#end(name, keyed, "failed", codeOf(cause)).catch(() => undefined);
      throw cause;
    }
  }

  async #end(name: PromptName, keyed: boolean, status: Row["status"], outcome = ""): Promise<void> {
    if (!keyed) {
      await this.#database.execute(
        "DELETE FROM session_prompts WHERE session_id = ? AND prompt_id = ?",
        name.sessionId,
        name.promptId,
      );
      return;
    }
    await this.#database.execute(END, { ...name, status, outcome });
    await this.#database.execute(PRUNE, { sessionId: name.sessionId, kept: limits.sessionPromptKeys });
  }
}

function codeOf(cause: unknown): string {
  return TroupeError.is(cause) ? `${cause.group}.${cause.code}` : "";
}
