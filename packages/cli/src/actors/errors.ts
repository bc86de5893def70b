/** Errors of `troupe actors`. */
import { TroupeError } from "@troupe/base";

/** What keeps it from asking, or from finding. */
export const actorsErrors = {
  noToken: () =>
    new TroupeError(
      "config",
      "no_inspector_token",
      "The server is asked through its inspector: set TROUPE_INSPECTOR_TOKEN to the inspector's token there",
    ),
  badUrl: (url: string) =>
    new TroupeError(
      "config",
      "invalid_option",
      `--url ${url}: must be the http:// or https:// address of a server`,
      { metadata: { option: "--url", value: url } },
    ),
  wrongToken: (url: string) =>
    new TroupeError(
      "gateway",
      "unauthorized",
      `The server at ${url} has another inspector token than TROUPE_INSPECTOR_TOKEN here`,
      { statusCode: 401, metadata: { url } },
    ),
  unreachable: (url: string, cause: unknown) =>
    new TroupeError(
      "actors",
      "unreachable",
      `No server answers at ${url} (${reasonOf(cause)}): --url says where it is`,
      {
        metadata: { url },
        cause,
      },
    ),
  noInspector: (url: string) =>
    new TroupeError(
      "actors",
      "no_inspector",
      `The server at ${url} has no inspector: start it with TROUPE_INSPECTOR_TOKEN, or setup({ inspector: { token } })`,
      { metadata: { url } },
    ),
  unexpected: (url: string, status: number) =>
    new TroupeError(
      "actors",
      "unexpected_answer",
      `What answers at ${url} is no Troupe server: it answered ${status} and no JSON`,
      {
        metadata: { url, status },
      },
    ),
  unknownName: (name: string, meant: string | undefined) =>
    new TroupeError(
      "actor",
      "not_registered",
      `No actor is registered there as "${name}"${meant === undefined ? "" : `: did you mean "${meant}"?`}`,
      { metadata: { name } },
    ),
  notFound: (name: string, key: readonly string[]) =>
    new TroupeError(
      "actor",
      "not_found",
      `There is no actor ${name} ${JSON.stringify(key)}: NAME/KEY has the parts of a key between slashes; for a part with a slash in it give the id`,
      { metadata: { name, key } },
    ),
};

/** The innermost cause says it: `fetch` itself says that it failed. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return reasonOf(error.cause);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
