/**
 * Token: a secret that a gateway makes at its start and gives to one agent. Other programs of this machine don't know it, and can't
 * spend the agent's key or write into its trace.
 *
 * It stands in the address that the agent calls, which an agent is told by its environment or by a file: a command line can be read by
 * everybody. Codex takes its address from there alone, and sends one header that a variable fills: the token is in that, in
 * front of what the header has said before.
 *
 * A provider is told it nowhere: it is taken off the whole address and each header. A body is the agent's own words.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";

const TOKEN_BYTES = 24;

/** What a request's header says that Codex fills from its variable. */
const TOKEN_HEADER = "openai-project";
/** Codex' name for it. */
export const TOKEN_VARIABLE = "OPENAI_PROJECT";

/** How a gateway that serves one agent is reached. */
export interface GatewayAddress {
  /** Scheme, host and port. */
  readonly origin: string;
  readonly token: string;
}

/** A new one. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/** The address that an agent calls. */
export function withToken({ origin, token }: GatewayAddress): string {
  return `${origin}/t/${token}`;
}

/** For the variable, in front of what it says already. */
export function tokenFor(token: string, said = ""): string {
  return said === "" ? token : `${token}.${said}`;
}

/** Takes the token off a request, wherever it stands, as if it had come without. False where there is another one, or none. */
export function takeToken(token: string | undefined, request: IncomingMessage): boolean {
  if (token === undefined) return true;
  const [, given, rest] = /^\/t\/([^/?]+)(.*)$/s.exec(request.url ?? "/") ?? [];
  // Who has a wrong one is refused in the words of what was asked for.
  if (given !== undefined) request.url = rest === undefined || rest === "" ? "/" : rest;
  const isLetIn = same(given ?? inHeader(request), token);
  if (isLetIn) takeFrom(token, request);
  return isLetIn;
}

function takeFrom(token: string, request: IncomingMessage): void {
  const { url = "/" } = request;
  if (mayHave(token, url)) request.url = without(token, url).replace(/^(?!\/)/, "/");
  takeFromHeaders(token, request);
}

function inHeader({ rawHeaders }: IncomingMessage): string {
  const at = rawHeaders.findIndex((text, n) => n % 2 === 0 && text.toLowerCase() === TOKEN_HEADER);
  const [given = ""] = (at < 0 ? "" : (rawHeaders[at + 1] ?? "")).split(".");
  return given;
}

/** A program may know it by its address and by the variable, and say both; a page's address is in its `Referer`. */
function takeFromHeaders(token: string, { headers, rawHeaders }: IncomingMessage): void {
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    const value = rawHeaders[at + 1] ?? "";
    if (!mayHave(token, value)) continue;
    const name = (rawHeaders[at] ?? "").toLowerCase();
    const left = without(token, value.replace(`${token}.`, ""));
    if (left === "") {
      rawHeaders.splice(at, 2);
      delete headers[name];
    } else {
      rawHeaders[at + 1] = left;
      headers[name] = left;
    }
  }
}

/** In an address any sign may be written as its number. */
function mayHave(token: string, text: string): boolean {
  return text.includes(token) || text.includes("%");
}

/** As if the address had never had it; wherever else it stands, it alone is gone. */
function without(token: string, text: string): string {
  const signs = Array.from(token, (sign) => {
    const number = Buffer.from(sign).toString("hex");
    // Of letters, digits, - and _: none says anything else in a pattern.
    return `(?:${sign}|%(?:${number}|${number.toUpperCase()}))`;
  });
  return text.replace(new RegExp(`(?:/t/)?${signs.join("")}`, "g"), "");
}

function same(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  // How long one is, everybody may know.
  return left.length === right.length && timingSafeEqual(left, right);
}
