import { startErrors } from "../errors.ts";

/** A port, as typed. Throws `config.invalid_option`. */
export function readPort(text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw startErrors.badPort(text);
}
