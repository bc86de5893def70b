/**
 * Questions: what the runtime has asked a sandbox's supervisor, until it is answered.
 *
 * The supervisor answers one after the other. When the oldest question gets nowhere for `limits.sandboxAnswerMs`, nothing will come any
 * more: something that was done for the sandbox has no end (a directory of the host on a disk that hangs), or somebody inside has stopped
 * the supervisor. Who asked for that file is told so, and the sandbox is lost, with all that is asked for.
 */
import type { TroupeError } from "@troupe/base";
import { limits } from "@troupe/protocol";
import { sandboxErrors } from "../../errors.ts";
import type { ImageEntry } from "../file-store.ts";
import type { FromSupervisor, Question } from "./inside/messages.ts";

/** What a question is answered with. */
export interface Answer {
  readonly result: unknown;
  readonly body: Uint8Array;
  readonly changes: readonly (readonly [path: string, entry: ImageEntry])[];
}

/** What questions are made of. */
export interface QuestionsParts {
  readonly send: (id: number, question: Question, body?: Uint8Array) => void;
  /** The oldest question got nowhere. */
  readonly onSilence: (why: TroupeError) => void;
}

interface Asked {
  readonly question: Question;
  readonly changes: [string, ImageEntry][];
  bytes: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (cause: unknown) => void;
}

/** The questions of one container. */
export class Questions {
  readonly #parts: QuestionsParts;
  /** In the order in which they were asked. */
  readonly #asked = new Map<number, Asked>();
  #last = 0;
  #patienceMs: number = limits.sandboxAnswerMs;
  #silence: NodeJS.Timeout | undefined;

  constructor(parts: QuestionsParts) {
    this.#parts = parts;
  }

  /** Rejects with `sandbox.file_failed`, `sandbox.deadline_exceeded`, `sandbox.lost`. */
  ask(question: Question, body?: Uint8Array): Promise<Answer> {
    this.#last += 1;
    const id = this.#last;
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { question, changes: [], bytes: 0, resolve, reject });
      if (this.#asked.size === 1) this.#listen();
      this.#parts.send(id, question, body);
    });
  }

  answered({ id, result, failure }: FromSupervisor & { type: "answer" }, body: Uint8Array): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#movesOn(id);
    this.#asked.delete(id);
    if (this.#asked.size === 0) clearTimeout(this.#silence);
    if (failure !== undefined) asked.reject(sandboxErrors.fileFailed(failure.code || "EIO", failure.message));
    else asked.resolve({ result, body, changes: asked.changes });
  }

  /** One more path of an answer. Throws where there are more than can be. */
  changed(id: number, change: [string, ImageEntry], bytes: number): void {
    const asked = this.#asked.get(id);
    if (asked === undefined) return;
    this.#movesOn(id);
    asked.changes.push(change);
    asked.bytes += bytes;
    if (asked.bytes > 2 * limits.sandboxFileBytes || asked.changes.length > 2 * limits.sandboxFiles)
      throw new Error("it told of more files than there can be");
  }

  /** From now on an answer is waited for no longer than a stop can. */
  hurry(): void {
    this.#patienceMs = limits.sandboxLastAnswerMs;
    if (this.#asked.size > 0) this.#listen();
  }

  /** None of them is answered any more. */
  fail(why: TroupeError): void {
    clearTimeout(this.#silence);
    for (const { reject } of this.#asked.values()) reject(why);
    this.#asked.clear();
  }

  #movesOn(id: number): void {
    const [oldest] = this.#asked.keys();
    if (id === oldest) this.#listen();
  }

  #listen(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#silent(), this.#patienceMs);
  }

  #silent(): void {
    const [oldest] = this.#asked.values();
    if (oldest === undefined) return;
    const { question, reject } = oldest;
    // A retry of it could lose the next sandbox, too.
    if ("path" in question && question.kind !== "put")
      reject(sandboxErrors.deadlineExceeded(this.#patienceMs, `${question.kind} of ${question.path}`));
    this.#parts.onSilence(sandboxErrors.lost(`it hasn't answered for ${this.#patienceMs} ms`));
  }
}
