/** What the files of both scopes hold, read strictly: what isn't understood is refused and never written over. */

import type { Pins } from "../manifest/pins.ts";
import { stateErrors } from "./errors.ts";
import { readJson } from "./json-file.ts";

/** A plugin of a list. */
export interface Listed {
  /** The manifest's path: absolute in the user's list, relative to the project's folder in the project's. */
  readonly manifest: string;
}

/** What the user has decided about a plugin. */
export interface Decision {
  readonly enabled: boolean;
  /** Its code may run in the host's process. */
  readonly trusted: boolean;
  readonly config?: unknown;
  readonly pins?: Pins;
}

/** A list, by id: a map, since an id may be "constructor". */
export type PluginList = ReadonlyMap<string, Listed>;

/** The user's file. */
export interface UserState {
  readonly version: 1;
  readonly plugins: PluginList;
  /** By scope: `user`, or the absolute path of a project; then by id. */
  readonly decisions: ReadonlyMap<string, ReadonlyMap<string, Decision>>;
}

/** A project's file. */
export interface ProjectState {
  readonly version: 1;
  readonly plugins: PluginList;
}

/** What a plugin is that nobody has decided about. */
export const undecided: Decision = { enabled: false, trusted: false };

/** Throws `plugin.state_*`. */
export async function readUserState(file: string): Promise<UserState> {
  const value = await readJson(file);
  if (value === undefined) return { version: 1, plugins: new Map(), decisions: new Map() };
  const record = versioned(file, value, ["version", "plugins", "decisions"]);
  return {
    version: 1,
    plugins: mapped(file, "plugins", record.plugins, readListed),
    decisions: mapped(file, "decisions", record.decisions, readDecisions),
  };
}

/** Throws `plugin.state_*`. */
export async function readProjectState(file: string): Promise<ProjectState> {
  const value = await readJson(file);
  if (value === undefined) return { version: 1, plugins: new Map() };
  const record = versioned(file, value, ["version", "plugins"]);
  return { version: 1, plugins: mapped(file, "plugins", record.plugins, readListed) };
}

/** A state as its file has it. */
export function fileOf(state: UserState | ProjectState): unknown {
  const { version, plugins } = state;
  const list = { version, plugins: Object.fromEntries(plugins) };
  if (!("decisions" in state)) return list;
  const decisions = [...state.decisions].map(([scope, of]) => [scope, Object.fromEntries(of)]);
  return { ...list, decisions: Object.fromEntries(decisions) };
}

type Fields = Readonly<Record<string, unknown>>;

function versioned(file: string, value: unknown, keys: readonly string[]): Fields {
  const record = object(file, "it", value, keys);
  if (record.version !== 1)
    throw stateErrors.malformed(file, `version is ${JSON.stringify(record.version)}, and must be 1`);
  return record;
}

function readListed(file: string, at: string, value: unknown): Listed {
  const { manifest } = object(file, at, value, ["manifest"]);
  if (typeof manifest !== "string") throw stateErrors.malformed(file, `${at}.manifest must be a path`);
  return { manifest };
}

function readDecisions(file: string, at: string, value: unknown): ReadonlyMap<string, Decision> {
  return mapped(file, at, value, readDecision);
}

function readDecision(file: string, at: string, value: unknown): Decision {
  const fields = object(file, at, value, ["enabled", "trusted", "config", "pins"]);
  const { enabled, trusted, config, pins } = fields;
  if (typeof enabled !== "boolean" || typeof trusted !== "boolean")
    throw stateErrors.malformed(file, `${at}.enabled and .trusted must be true or false`);
  return {
    enabled,
    trusted,
    ...(config !== undefined && { config }),
    ...(pins !== undefined && { pins: readPins(file, `${at}.pins`, pins) }),
  };
}

function readPins(file: string, at: string, value: unknown): Pins {
  const { manifest, files } = object(file, at, value, ["manifest", "files"]);
  return {
    manifest: digest(file, `${at}.manifest`, manifest),
    files: Object.fromEntries(mapped(file, `${at}.files`, files, digest)),
  };
}

function digest(file: string, at: string, value: unknown): string {
  if (typeof value === "string" && /^[0-9a-f]{64}$/.test(value)) return value;
  throw stateErrors.malformed(file, `${at} must be a SHA-256`);
}

function mapped<T>(
  file: string,
  at: string,
  value: unknown,
  read: (file: string, at: string, value: unknown) => T,
): ReadonlyMap<string, T> {
  const entries = Object.entries(object(file, at, value));
  return new Map(entries.map(([name, of]) => [name, read(file, `${at}.${name}`, of)]));
}

/** With `keys`, no other may be there. */
function object(file: string, at: string, value: unknown, keys?: readonly string[]): Fields {
  if (!isFields(value)) throw stateErrors.malformed(file, `${at} must be an object`);
  const unknown = keys && Object.keys(value).find((key) => !keys.includes(key));
  if (unknown !== undefined) throw stateErrors.malformed(file, `${at} has no key ${unknown}`);
  return value;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
