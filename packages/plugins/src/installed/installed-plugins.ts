/**
 * Installed plugins: those of both lists, with what was decided about them.
 *
 * Reading writes nothing. Each change is one: it holds the user's lock, and the project's where that list changes too.
 */
import { dirname, relative, resolve } from "node:path";
import { nearest } from "@troupe/base";
import type { ManifestSource } from "../activation/plugin-source.ts";
import type { Pins } from "../manifest/pins.ts";
import { installedErrors } from "./errors.ts";
import { whileLocked, writeJson } from "./json-file.ts";
import { projectFile, type ScopeName, type Scopes, userFile } from "./scopes.ts";
import {
  type Decision,
  fileOf,
  type PluginList,
  readProjectState,
  readUserState,
  type UserState,
  undecided,
} from "./state.ts";

/** A plugin of a list. */
export interface InstalledPlugin extends Decision {
  readonly id: string;
  readonly scope: ScopeName;
  /** The manifest's path, absolute. */
  readonly manifest: string;
  /** The user's scope has one of the same id, which is the one that runs. */
  readonly shadowed: boolean;
}

/** All of them: the user's, then the project's, each in the order in which they were added. Throws `plugin.state_*`. */
export async function readInstalled(scopes: Scopes): Promise<readonly InstalledPlugin[]> {
  const user = await readUserState(userFile(scopes));
  const project = await readProjectState(projectFile(scopes));
  return [...listed(scopes, "user", user.plugins, user), ...listed(scopes, "project", project.plugins, user)];
}

/** Those that a host activates. */
export function enabledSources(installed: readonly InstalledPlugin[]): readonly ManifestSource[] {
  return installed.filter(({ enabled, shadowed }) => enabled && !shadowed).map(sourceOf);
}

/** An installed plugin as a host activates it. */
export function sourceOf({ manifest, trusted, config, pins }: InstalledPlugin): ManifestSource {
  return {
    manifest,
    trusted,
    ...(config !== undefined && { config }),
    ...(pins !== undefined && { pins }),
  };
}

/** The plugin `id`: the user's before the project's, unless a scope is named. Throws `plugin.not_added`. */
export function findInstalled(
  installed: readonly InstalledPlugin[],
  id: string,
  scope?: ScopeName,
): InstalledPlugin {
  const candidates = installed.filter((plugin) => scope === undefined || plugin.scope === scope);
  const found = candidates.find((plugin) => plugin.id === id);
  if (found !== undefined) return found;
  throw installedErrors.notAdded(
    id,
    nearest(
      id,
      candidates.map((plugin) => plugin.id),
    ),
  );
}

/** Adds a plugin, disabled, whatever was decided about an earlier one of its id. Throws `plugin.already_added`. */
export async function addInstalled(
  scopes: Scopes,
  scope: ScopeName,
  { id, manifest }: { readonly id: string; readonly manifest: string },
): Promise<void> {
  await changeList(scopes, { id, scope }, (list) => {
    const other = list.get(id);
    if (other !== undefined)
      throw installedErrors.alreadyAdded(id, scope, pathOf(scopes, scope, other.manifest));
    const path = scope === "user" ? manifest : relative(scopes.project, manifest);
    return new Map([...list, [id, { manifest: path }]]);
  });
}

/** Takes a plugin off its list; its files stay. */
export async function removeInstalled(scopes: Scopes, plugin: PluginName): Promise<void> {
  await changeList(scopes, plugin, (list) => without(list, plugin.id));
}

/** Which plugin of which list. */
export type PluginName = Pick<InstalledPlugin, "id" | "scope">;

/** Decides something about a plugin. */
export async function decide(
  scopes: Scopes,
  plugin: PluginName,
  change: Partial<Decision> & { readonly pins?: Pins },
): Promise<void> {
  await changeDecision(scopes, plugin, (before) => ({ ...undecided, ...before, ...change }));
}

function listed(
  scopes: Scopes,
  scope: ScopeName,
  plugins: PluginList,
  user: UserState,
): readonly InstalledPlugin[] {
  const decisions = user.decisions.get(decisionsKey(scopes, scope));
  return [...plugins].map(([id, { manifest }]) => ({
    id,
    scope,
    manifest: pathOf(scopes, scope, manifest),
    ...undecided,
    ...decisions?.get(id),
    shadowed: scope === "project" && user.plugins.has(id),
  }));
}

function pathOf(scopes: Scopes, scope: ScopeName, manifest: string): string {
  return resolve(scope === "user" ? dirname(userFile(scopes)) : scopes.project, manifest);
}

function decisionsKey({ project }: Scopes, scope: ScopeName): string {
  return scope === "user" ? "user" : project;
}

/** Changes a list, and forgets what was decided: first, so that a crash in between leaves a plugin that is disabled. */
async function changeList(
  scopes: Scopes,
  name: PluginName,
  change: (list: PluginList) => PluginList,
): Promise<void> {
  if (name.scope === "user") {
    await changeUser(scopes, (state) => ({
      ...withDecision(state, "user", name.id, undefined),
      plugins: change(state.plugins),
    }));
    return;
  }
  const file = projectFile(scopes);
  await whileLocked(file, async () => {
    const state = await readProjectState(file);
    const plugins = change(state.plugins);
    await changeDecision(scopes, name, () => undefined);
    await writeJson(file, fileOf({ ...state, plugins }));
  });
}

async function changeDecision(
  scopes: Scopes,
  { id, scope }: PluginName,
  change: (before: Decision | undefined) => Decision | undefined,
): Promise<void> {
  const key = decisionsKey(scopes, scope);
  await changeUser(scopes, (state) => {
    const before = state.decisions.get(key)?.get(id);
    const after = change(before);
    // A file that nobody needs isn't written.
    if (before === undefined && after === undefined) return undefined;
    return withDecision(state, key, id, after);
  });
}

function withDecision(state: UserState, key: string, id: string, decision: Decision | undefined): UserState {
  const others = without(state.decisions.get(key) ?? new Map<string, Decision>(), id);
  const decided = decision === undefined ? others : new Map([...others, [id, decision]]);
  return { ...state, decisions: new Map([...state.decisions, [key, decided]]) };
}

function without<T>(map: ReadonlyMap<string, T>, id: string): ReadonlyMap<string, T> {
  return new Map([...map].filter(([other]) => other !== id));
}

async function changeUser(
  scopes: Scopes,
  change: (state: UserState) => UserState | undefined,
): Promise<void> {
  const file = userFile(scopes);
  await whileLocked(file, async () => {
    const after = change(await readUserState(file));
    if (after !== undefined) await writeJson(file, fileOf(after));
  });
}
