/** A token bucket: so many messages at once, and one more each second. */
import { UserError } from "troupe";

const BURST = 8;
const REFILL_MS = 1_000;

export interface Bucket {
  tokens: number;
  /** When `tokens` was right. */
  at: number;
}

export function fullBucket(now: number): Bucket {
  return { tokens: BURST, at: now };
}

/** Takes one token. Throws `user.too_fast` when there is none. */
export function spend(bucket: Bucket, now: number): void {
  const refilled = bucket.tokens + (now - bucket.at) / REFILL_MS;
  bucket.tokens = Math.min(BURST, refilled);
  bucket.at = now;
  if (bucket.tokens < 1) throw new UserError("Not so fast: wait a moment", { code: "too_fast" });
  bucket.tokens -= 1;
}
