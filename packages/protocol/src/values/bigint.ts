import { limits } from "../limits.ts";

const LIMIT = 1n << BigInt(limits.bigintBytes * 8);
/** No bigint within the limit has more characters in decimal. */
const MOST_DIGITS = Math.ceil(limits.bigintBytes * 8 * Math.log10(2)) + 1;
const DECIMAL = /^(?:0|-?[1-9][0-9]*)$/;

/** True when the magnitude of `value` fits `limits.bigintBytes`. */
export function isBigintInLimit(value: bigint): boolean {
  return value < LIMIT && value > -LIMIT;
}

/** The bigint of its decimal text; undefined for any other text and past the limit. */
export function bigintOfDecimal(text: string): bigint | undefined {
  if (text.length > MOST_DIGITS || !DECIMAL.test(text)) return undefined;
  const value = BigInt(text);
  return isBigintInLimit(value) ? value : undefined;
}

/** The big-endian bytes of a bigint that isn't negative, without leading zeros. */
export function bytesOfBigint(value: bigint): Uint8Array {
  const digits = value === 0n ? "" : value.toString(16);
  const bytes = new Uint8Array(Math.ceil(digits.length / 2));
  const odd = digits.length % 2;
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(digits.slice(Math.max(0, index * 2 - odd), index * 2 - odd + 2), 16);
  }
  return bytes;
}

/** The bigint of big-endian bytes; undefined past the limit. */
export function bigintOfBytes(bytes: Uint8Array): bigint | undefined {
  if (bytes.length > limits.bigintBytes) return undefined;
  return BigInt(`0x0${bytesToHex(bytes)}`);
}

/** Bytes as hexadecimal digits, two each. */
export function bytesToHex(bytes: Uint8Array): string {
  let digits = "";
  for (const byte of bytes) digits += byte.toString(16).padStart(2, "0");
  return digits;
}
