/**
 * SHA-256 (FIPS 180-4): an isolate has no cryptography of a platform's, and idempotency keys need a digest.
 */

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const ROUND_CONSTANTS = fractions(64, Math.cbrt);
/** The same of the square roots of the first 8. */
const FIRST_STATE = fractions(8, Math.sqrt);
const BLOCK_BYTES = 64;
const LENGTH_BYTES = 8;

/** The digest of `data`, 32 bytes. */
export function sha256(data: Uint8Array): Uint8Array {
  const state = Uint32Array.from(FIRST_STATE);
  const words = new Uint32Array(64);
  const padded = pad(data);
  const view = new DataView(padded.buffer);
  for (let block = 0; block < padded.length; block += BLOCK_BYTES) mix(state, words, view, block);
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  for (const [index, word] of state.entries()) out.setUint32(index * 4, word);
  return digest;
}

/** One bit, zeros, and the length in bits, up to a whole block. */
function pad(data: Uint8Array): Uint8Array<ArrayBuffer> {
  const blocks = Math.ceil((data.length + 1 + LENGTH_BYTES) / BLOCK_BYTES);
  const padded = new Uint8Array(blocks * BLOCK_BYTES);
  padded.set(data);
  padded[data.length] = 0x80;
  new DataView(padded.buffer).setBigUint64(padded.length - LENGTH_BYTES, BigInt(data.length) * 8n);
  return padded;
}

function mix(state: Uint32Array, words: Uint32Array, view: DataView, block: number): void {
  for (let t = 0; t < 16; t += 1) words[t] = view.getUint32(block + t * 4);
  for (let t = 16; t < 64; t += 1) {
    const early = at(words, t - 15);
    const late = at(words, t - 2);
    const small = rotated(early, 7) ^ rotated(early, 18) ^ (early >>> 3);
    const large = rotated(late, 17) ^ rotated(late, 19) ^ (late >>> 10);
    words[t] = at(words, t - 16) + small + at(words, t - 7) + large;
  }
  let [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = state;
  for (let t = 0; t < 64; t += 1) {
    const choice = (e & f) ^ (~e & g);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    const one =
      h + (rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)) + choice + at(ROUND_CONSTANTS, t) + at(words, t);
    const two = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) + majority;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) | 0, c, b, a, (one + two) | 0];
  }
  for (const [index, word] of [a, b, c, d, e, f, g, h].entries()) state[index] = at(state, index) + word;
}

function rotated(word: number, bits: number): number {
  return (word >>> bits) | (word << (32 - bits));
}

function at(words: Uint32Array, index: number): number {
  return words[index] ?? 0;
}

function fractions(count: number, root: (n: number) => number): Uint32Array {
  const found: number[] = [];
  for (let n = 2; found.length < count; n += 1) if (isPrime(n)) found.push((root(n) % 1) * 2 ** 32);
  return Uint32Array.from(found);
}

function isPrime(n: number): boolean {
  for (let divisor = 2; divisor * divisor <= n; divisor += 1) if (n % divisor === 0) return false;
  return true;
}
