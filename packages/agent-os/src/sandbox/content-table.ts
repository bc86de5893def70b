/**
 * ContentTable: what files hold, each content once under its digest, in rows of at most {@link PART} bytes, since a statement binds so much.
 *
 * Files of the sandbox and of its snapshots name a content by its digest. So a snapshot shares what it has with the files that it was
 * taken of, and a content goes when the last path that names it does.
 */
import { createHash } from "node:crypto";
import { limits } from "@troupe/protocol";
import type { Database } from "@troupe/runtime";

/** Runs on every start of an actor: what is there already stays. */
export const CONTENT_SCHEMA = `CREATE TABLE IF NOT EXISTS sandbox_contents (
  digest TEXT NOT NULL,
  part INTEGER NOT NULL,
  bytes BLOB NOT NULL,
  PRIMARY KEY (digest, part)
) STRICT`;

const PART = limits.sqlBoundBytes / 2;
/** Of one answer. */
const PARTS = limits.sqlResultBytes / (2 * PART);

const PAGE = `
  SELECT digest, part, bytes FROM sandbox_contents
  WHERE (digest, part) > (:digest, :part) AND digest IN (SELECT content FROM sandbox_entries WHERE root = :root)
  ORDER BY digest, part LIMIT :limit`;
const HAS = "SELECT 1 AS found FROM sandbox_contents WHERE digest = ? LIMIT 1";
const PUT = "INSERT INTO sandbox_contents (digest, part, bytes) VALUES (:digest, :part, :bytes)";
const DROP = `
  DELETE FROM sandbox_contents WHERE digest IN (SELECT value FROM json_each(?))
  AND NOT EXISTS (SELECT 1 FROM sandbox_entries WHERE content = digest)`;

/** The digest of no bytes at all: they need no row. */
export const EMPTY = "";

/** A part of a content. */
export interface ContentPart extends Record<string, unknown> {
  readonly digest: string;
  readonly part: number;
  readonly bytes: Uint8Array;
}

/** Where a page of parts begins: behind this one. */
export type ContentCursor = Pick<ContentPart, "digest" | "part">;

/** Before the first part. */
export const FIRST_PART: ContentCursor = { digest: "", part: 0 };

/** What the files of one actor's sandbox hold. */
export class ContentTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** All contents of a root, by their digests. */
  async load(root: number): Promise<ContentParts> {
    const contents = new ContentParts();
    for (let after: ContentCursor | undefined = FIRST_PART; after !== undefined; ) {
      const page = await this.page(root, after, PARTS);
      contents.add(page);
      after = page.length < PARTS ? undefined : page.at(-1);
    }
    return contents;
  }

  /** At most `limit` parts of a root's contents. */
  async page(root: number, { digest, part }: ContentCursor, limit: number): Promise<ContentPart[]> {
    return await this.#database.execute<ContentPart>(PAGE, { root, digest, part, limit });
  }
}

/** Contents that come part by part. */
export class ContentParts {
  readonly #parts = new Map<string, Uint8Array[]>();

  add(page: readonly ContentPart[]): void {
    for (const { digest, bytes } of page) {
      const parts = this.#parts.get(digest);
      if (parts === undefined) this.#parts.set(digest, [bytes]);
      else parts.push(bytes);
    }
  }

  /** What all of its parts are together. Paths with one digest share it. */
  get(digest: string): Uint8Array {
    const parts = this.#parts.get(digest) ?? [];
    const [first] = parts;
    if (first !== undefined && parts.length === 1) return first;
    const whole = joined(parts);
    this.#parts.set(digest, [whole]);
    return whole;
  }
}

/** Stores a content unless it is there; gives its digest. */
export async function putContent(tx: Database, content: Uint8Array): Promise<string> {
  if (content.byteLength === 0) return EMPTY;
  const digest = createHash("sha256").update(content).digest("hex");
  if ((await tx.execute(HAS, digest)).length > 0) return digest;
  for (let part = 0; part * PART < content.byteLength; part += 1)
    await tx.execute(PUT, { digest, part, bytes: content.subarray(part * PART, (part + 1) * PART) });
  return digest;
}

/** Forgets those of these contents that no path names any more. */
export async function dropContents(tx: Database, digests: readonly string[]): Promise<void> {
  if (digests.length > 0) await tx.execute(DROP, JSON.stringify(digests));
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((bytes, part) => bytes + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.byteLength;
  }
  return whole;
}
