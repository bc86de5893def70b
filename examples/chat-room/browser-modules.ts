/**
 * The packages that the page imports. They are plain ES modules and need no bundler: an import map says where each
 * is, and their files are served as they are.
 */
import { findPackageJSON } from "node:module";
import { pathToFileURL } from "node:url";

/** Each package with the one that depends on it: not every package manager puts all of them in one folder. */
const troupe = packageFolder("troupe", import.meta.url);
const client = packageFolder("@troupe/client", troupe.href);
const protocol = packageFolder("@troupe/protocol", client.href);
const base = packageFolder("@troupe/base", client.href);
const agentOS = packageFolder("@troupe/agent-os", troupe.href);

const folders: Readonly<Record<string, URL>> = {
  troupe,
  "@troupe/client": client,
  "@troupe/protocol": protocol,
  "@troupe/base": base,
  "@troupe/agent-os": agentOS,
};

/** Import specifiers to addresses. */
export const importMap = {
  "troupe/client": "/modules/troupe/dist/client.js",
  "@troupe/client": "/modules/@troupe/client/dist/index.js",
  "@troupe/protocol": "/modules/@troupe/protocol/dist/index.js",
  "@troupe/base": "/modules/@troupe/base/dist/index.js",
  "troupe/agent-os/client": "/modules/troupe/dist/agent-os/client.js",
  "@troupe/agent-os/client": "/modules/@troupe/agent-os/dist/client.js",
} as const;

/** The file behind `/modules/<package>/dist/….js`, or its source map. */
export function moduleFile(pathname: string): URL | undefined {
  const [, name, path] =
    /^\/modules\/(troupe|@troupe\/[a-z-]+)\/(dist\/[\w/-]+\.js(?:\.map)?)$/.exec(pathname) ?? [];
  const folder = name === undefined ? undefined : folders[name];
  return folder === undefined || path === undefined ? undefined : new URL(path, folder);
}

function packageFolder(name: string, from: string): URL {
  const manifest = findPackageJSON(name, from);
  if (manifest === undefined) throw new Error(`The package ${name} is not installed`);
  return new URL(".", pathToFileURL(manifest));
}
