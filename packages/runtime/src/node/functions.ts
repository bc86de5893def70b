/** Functions over HTTP. */
import type { FunctionOrder, Functions } from "../ports/functions.ts";

/** What is told of an answer that isn't the function's. */
const TOLD_CHARACTERS = 300;

/** The platform's own, before actors get one that waits for what they wrote. */
const plainFetch = globalThis.fetch;

/** Starts functions with POST. */
export const nodeFunctions: Functions = {
  async start({ url, headers, body, signal }: FunctionOrder) {
    const response = await plainFetch(url, { method: "POST", headers, body, signal, redirect: "error" });
    if (response.ok) return { ended: read(response) };
    const text = await response.text();
    throw new Error(`${url} answered ${response.status}: ${text.slice(0, TOLD_CHARACTERS)}`);
  },
};

/** What isn't read would stop the function. */
async function read(response: Response): Promise<void> {
  try {
    for await (const _ of response.body ?? []);
  } catch {
    // It ended in the middle: as good an end as any.
  }
}
