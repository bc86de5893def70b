import { TroupeError } from "@troupe/base";

/** The error that a promise rejects with; throws when it doesn't, or with something else. */
export async function failure(promise: Promise<unknown>): Promise<TroupeError> {
  try {
    await promise;
  } catch (cause) {
    if (TroupeError.is(cause)) return cause;
    throw cause;
  }
  throw new Error("it should have been rejected");
}

/** `group.code` of what a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  const { group, code } = await failure(promise);
  return `${group}.${code}`;
}
