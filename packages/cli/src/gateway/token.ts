/**
 * Token: a secret that a gateway makes at its start and gives to one agent, in the address that the agent calls. Other programs
 * of this machine don't know it, and can't spend the agent's key or write into its trace.
 */
import { randomBytes, timingSafeEqual } from "node:crypto";
import { requestErrors } from "../errors.ts";

const TOKEN_BYTES = 24;

/** A new one. */
export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("base64url");
}

/** The address that an agent calls. */
export function withToken(url: string, token: string): string {
  return `${url}/t/${token}`;
}

/** The path behind the token. Throws `gateway.token_required` where there is another one, or none. */
export function withoutToken(token: string | undefined, url: string): string {
  if (token === undefined) return url;
  const [, given, rest] = /^\/t\/([^/?]+)(.*)$/s.exec(url) ?? [];
  if (given === undefined || !same(given, token)) throw requestErrors.tokenRequired();
  return rest === undefined || rest === "" ? "/" : rest;
}

function same(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  // How long one is, everybody may know.
  return left.length === right.length && timingSafeEqual(left, right);
}
