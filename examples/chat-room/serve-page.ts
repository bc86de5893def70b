/**
 * Serves the page without a build step: its TypeScript with the types blanked out, and the packages that it imports
 * from where npm put them, by an import map.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { extname } from "node:path";
import { importMap, moduleFile } from "./browser-modules.ts";
import { withoutTypes } from "./without-types.ts";

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".map": "application/json",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".ts": "text/javascript; charset=utf-8",
};

/** What a page needs besides its folder. */
export interface PageOptions {
  /** Files of other packages, served as `/lib/<name>`. */
  readonly libraries?: Readonly<Record<string, URL>>;
  /** What its modules call them. */
  readonly imports?: Readonly<Record<string, string>>;
  /** A library makes style sheets while it runs. */
  readonly inlineStyles?: boolean;
}

/** Answers what isn't for the actors with the page of a folder: `setup({ fetch: pageServer(folder) })`. */
export function pageServer(folder: URL, options: PageOptions = {}): (request: Request) => Promise<Response> {
  return (request) => servePage(folder, options, request);
}

async function servePage(folder: URL, options: PageOptions, request: Request): Promise<Response> {
  if (request.method !== "GET" && request.method !== "HEAD") return plain(405, "This is only for reading");
  const { pathname, host } = new URL(request.url);
  if (pathname === "/") return await indexPage(folder, options, host);
  const file = pageFile(folder, pathname) ?? moduleFile(pathname) ?? libraryFile(options, pathname);
  const type = contentTypes[extname(pathname)];
  if (file === undefined || type === undefined) return notFound(pathname);
  try {
    const text = await readFile(file, "utf8");
    return answer(extname(pathname) === ".ts" ? withoutTypes(text) : text, { "content-type": type });
  } catch {
    return notFound(pathname);
  }
}

async function indexPage(folder: URL, options: PageOptions, host: string): Promise<Response> {
  const map = JSON.stringify({ imports: { ...importMap, ...options.imports } });
  const html = await readFile(new URL("index.html", folder), "utf8");
  // Nothing on this page comes from anywhere else, and nothing that somebody wrote in a room can run in it.
  const policy = [
    "default-src 'self'",
    `script-src 'self' 'sha256-${createHash("sha256").update(map).digest("base64")}'`,
    `style-src 'self'${options.inlineStyles === true ? " 'unsafe-inline'" : ""}`,
    `connect-src 'self' ws://${host}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
  return answer(html.replace("{{importMap}}", map), {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": policy,
  });
}

/** A file of the page, or of this one, which others use parts of. Names have no slash, so none leads out of the folder. */
function pageFile(folder: URL, pathname: string): URL | undefined {
  const [, other, name] = /^\/(?:page|(chat-room)\/page)\/([\w-]+\.(?:css|svg|ts))$/.exec(pathname) ?? [];
  if (name === undefined) return undefined;
  return new URL(name, other === undefined ? folder : new URL("page/", import.meta.url));
}

function libraryFile({ libraries = {} }: PageOptions, pathname: string): URL | undefined {
  const name = /^\/lib\/([\w.-]+)$/.exec(pathname)?.[1];
  return name !== undefined && Object.hasOwn(libraries, name) ? libraries[name] : undefined;
}

function answer(body: string, headers: Readonly<Record<string, string>>): Response {
  const always = { "cache-control": "no-cache", "x-content-type-options": "nosniff" };
  return new Response(body, { headers: { ...always, ...headers } });
}

function notFound(pathname: string): Response {
  return plain(404, `There is nothing at ${pathname}`);
}

function plain(status: number, text: string): Response {
  return new Response(`${text}\n`, { status, headers: { "content-type": "text/plain; charset=utf-8" } });
}
