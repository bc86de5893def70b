/** `troupe actors list` and `show`: who there is, and how one is. */
import { nearest, TroupeError } from "@troupe/base";
import { optionErrors } from "../errors.ts";
import { aligned } from "../plugins/table.ts";
import type { RunTerminal } from "../run/command.ts";
import { printable } from "../trace/printable.ts";
import { idOf } from "./address.ts";
import { actorsErrors } from "./errors.ts";
import {
  type ActorOverview,
  type ActorSize,
  InspectorApi,
  type LastError,
  type ListedActor,
} from "./inspector-api.ts";

/** Flags of every command. */
export interface ActorsFlags {
  readonly url?: string;
  readonly namespace?: string;
  readonly json?: boolean;
}

/** As typed. */
export interface ListFlags extends ActorsFlags {
  readonly name?: string;
  readonly key?: string;
  readonly state?: string;
  readonly limit?: string;
  readonly after?: string;
}

/** In which an actor is. */
const STATES = ["asleep", "loading", "awake", "stopping"];
const DEFAULT_LIMIT = 50;
/** The server's own, for one page. */
const PAGE = 200;

/** Lists as many as were asked for, however many of the server's pages that takes. */
export async function listActors(flags: ListFlags, terminal: RunTerminal): Promise<void> {
  const { name, key, state, namespace, json } = flags;
  const api = new InspectorApi({ url: flags.url, env: terminal.env ?? {} });
  const limit = limitOf(flags.limit);
  if (state !== undefined && !STATES.includes(state))
    throw optionErrors.invalid("--state", state, `one of ${STATES.join(", ")}`);
  const actors: ListedActor[] = [];
  let next = flags.after;
  do {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, limit - actors.length)) });
    for (const [field, value] of Object.entries({ name, prefix: key, phase: state, namespace, after: next }))
      if (value !== undefined) query.set(field, value);
    const page = await api.list(query);
    const { names } = page;
    if (page.actors.length === 0 && name !== undefined && names?.includes(name) === false)
      throw actorsErrors.unknownName(name, nearest(name, names));
    actors.push(...page.actors);
    next = page.next;
  } while (next !== undefined && actors.length < limit);
  terminal.out(json ? `${JSON.stringify({ actors, next: next ?? null })}\n` : listed(actors, next));
}

/** Says all that people want to know of one. */
export async function showActor(actor: string, flags: ActorsFlags, terminal: RunTerminal): Promise<void> {
  const api = new InspectorApi({ url: flags.url, env: terminal.env ?? {} });
  const id = await idOf(api, actor, flags.namespace);
  const overview = await api.overview(id);
  const size = await sizeOf(api, id);
  terminal.out(flags.json ? `${JSON.stringify({ ...overview, size })}\n` : described(overview, size));
}

/** What keeps the data from being read. */
interface Unread {
  readonly error: { readonly code: string; readonly message: string };
}

/** An actor whose data can't be read is shown all the same: that is why somebody looks. */
async function sizeOf(api: InspectorApi, id: string): Promise<ActorSize | Unread> {
  try {
    return await api.size(id);
  } catch (error) {
    if (!TroupeError.is(error)) throw error;
    return { error: { code: `${error.group}.${error.code}`, message: error.message } };
  }
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return DEFAULT_LIMIT;
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text);
  throw optionErrors.invalid("--limit", text, "a number from 1 to 999999");
}

function listed(actors: readonly ListedActor[], next: string | undefined): string {
  if (actors.length === 0 && next === undefined) return "There are no such actors.\n";
  const rows = actors.map(({ id, name, key, phase }) => [address(name, key), phase, id]);
  const more = next === undefined ? [] : ["", `There may be more: --after '${next}'`];
  return `${[...aligned([["actor", "state", "id"], ...rows]).map(printable), ...more].join("\n")}\n`;
}

function described(overview: ActorOverview, size: ActorSize | Unread): string {
  const {
    id,
    name,
    key,
    phase,
    createdAt,
    awakeSince,
    lastError,
    awakeReasons = [],
    connections,
    alarmAt,
  } = overview;
  const facts: (readonly [string, string])[] = [
    ["actor", address(name, key)],
    ["id", id],
    // As the list has it, which knows nothing more of an actor that is awake.
    ["state", phase === "running" ? "awake" : phase],
    ["made", at(createdAt)],
  ];
  if (awakeSince !== null) facts.push(["awake since", at(awakeSince)]);
  if (awakeReasons.length > 0) facts.push(["awake for", awakeReasons.join(", ")]);
  if (connections !== undefined) facts.push(["connections", String(connections)]);
  if (typeof alarmAt === "number") facts.push(["alarm", at(alarmAt)]);
  facts.push(["data", "error" in size ? `${size.error.message} [${size.error.code}]` : sized(size)]);
  facts.push(["last error", lastError === null ? "none that is known" : failed(lastError)]);
  return `${aligned(facts).map(printable).join("\n")}\n`;
}

function failed({ at: when, action, code, id, message }: LastError): string {
  const told = `${code} ${action === undefined ? "when it started" : `in ${action}`}, ${at(when)}`;
  const why = message === undefined ? told : `${message} [${told}]`;
  return id === undefined ? why : `${why}; the log has it under id ${id}`;
}

function sized({ rows, bytes, more, databaseBytes }: ActorSize): string {
  const counted = `${more ? "more than " : ""}${rows} rows, ${inBytes(bytes)}`;
  return databaseBytes === undefined ? counted : `${counted}; database file ${inBytes(databaseBytes)}`;
}

function inBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(1)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}

/** As `NAME/KEY` is typed. */
function address(name: string, key: readonly string[]): string {
  return [name, ...(key.length === 0 ? [""] : key)].join("/");
}

function at(ms: number): string {
  return new Date(ms).toISOString();
}
