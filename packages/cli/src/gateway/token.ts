/**
 * Token: a secret that a gateway makes at its start and gives to one agent. Other programs of this machine don't know it, and can't
 * spend the agent's key or write into its trace.
 *
 * It stands in the address that the agent calls, which an agent is told by its environment or by a file: a command line can be read by
 * everybody. Codex takes its address from there alone, and sends one header that a variable fills: the token is in that, in
 * front of what the header has said before.
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

/** Takes the token off a request, as if it had come without. False where there is another one, or none. */
export function takeToken(token: string | undefined, request: IncomingMessage): boolean {
  if (token === undefined) return true;
  const [, given, rest] = /^\/t\/([^/?]+)(.*)$/s.exec(request.url ?? "/") ?? [];
  if (given === undefined) return takeHeader(token, request);
  // Who has a wrong one is refused in the words of what was asked for.
  request.url = rest === undefined || rest === "" ? "/" : rest;
  return same(given, token);
}

function takeHeader(token: string, { headers, rawHeaders }: IncomingMessage): boolean {
  const at = rawHeaders.findIndex((text, n) => n % 2 === 0 && text.toLowerCase() === TOKEN_HEADER);
  const [given = "", ...own] = (rawHeaders[at + 1] ?? "").split(".");
  if (at < 0 || !same(given, token)) return false;
  if (own.length === 0) {
    rawHeaders.splice(at, 2);
    delete headers[TOKEN_HEADER];
    return true;
  }
  rawHeaders[at + 1] = own.join(".");
  headers[TOKEN_HEADER] = own.join(".");
  return true;
}

function same(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  // How long one is, everybody may know.
  return left.length === right.length && timingSafeEqual(left, right);
}
