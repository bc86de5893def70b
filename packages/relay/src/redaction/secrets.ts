/**
 * Secrets: what no exporter sends unless it is told to.
 *
 * A secret is known by the name of the property that holds it (headers, credentials) or by what it looks like, wherever
 * in an event it stands: data, metadata, profile, names of properties, JSON in a text, also the text of an error.
 */
import { isList, type JsonObject, own } from "../codecs/json.ts";
import type { Json, Metadata, RelayEvent } from "../events/event.ts";
import { type DetectorName, detectorNames, detectors, replaceFound } from "./detectors.ts";
import { Known } from "./known.ts";
import { type Rewriter, rewrite } from "./rewrite.ts";
import { holdsSchemas, isSchemaMap, withoutGiven } from "./schemas.ts";
import { isSecretName, mayBeNumber } from "./secret-names.ts";
import {
  mayNameSecrets,
  withoutAssigned,
  withoutBasic,
  withoutPrivateKeys,
  withoutUserinfo,
} from "./secret-texts.ts";

/** What stands in a secret's place. */
export const REDACTED = "[REDACTED]";

/**
 * What a text must have before a detector is worth asking: reading every text with every pattern would be slow. Keys are
 * long words without a break. A card's number isn't here: it isn't a secret to a program's owner, and ids that pass
 * Luhn's test are common. `longest`: of its words; `schemed`: it may name a scheme of authorization.
 */
const clues: Partial<
  Readonly<Record<DetectorName, (text: string, longest: number, schemed: boolean) => boolean>>
> = {
  bearer_token: (_text, _longest, schemed) => schemed,
  api_key: (text, longest) =>
    longest >= 16 &&
    (text.includes("-") || text.includes("_") || text.includes("ya29.") || text.includes("SG.")),
  jwt: (text, longest) => longest >= 20 && text.includes("eyJ"),
  aws_access_key_id: (_text, longest) => longest >= 20,
  aws_secret_access_key: (_text, longest) => longest >= 40,
  gcp_api_key: (text, longest) => longest >= 39 && text.includes("AIza"),
  azure_storage_account_key: (text, longest) => longest >= 88 && text.includes("=="),
};

const scheme = /b(?:earer|asic)\s/i;

const sought = detectorNames.flatMap((name) => {
  const [detector, clue] = [detectors.get(name), clues[name]];
  return detector === undefined || clue === undefined ? [] : [{ detector, clue }];
});

/** The shortest secret that is known by its looks. */
const SHORTEST = 8;
/** What is no longer, and a word of letters and digits alone, is the name of something and no secret. */
const word = /^\w{1,18}$/;
/** A text that is longer mostly stands twice in an event, in the provider's words and in those of all. */
const LONG = 256;
/** So many of them are remembered. */
const KNOWN = 64;

const valueNames: ReadonlySet<string> = new Set(["value", "values", "Value"]);
const nameNames = ["name", "key", "Name", "Key", "header"] as const;
/** What is longer isn't the name of a header but a text. */
const LONGEST_NAME = 128;

/** By character code: true for what words of keys are made of. */
const wordCodes = Uint8Array.from({ length: 128 }, (_, code) =>
  /[\w+/=.~-]/.test(String.fromCharCode(code)) ? 1 : 0,
);

/** Of names of properties, and of the short texts of events, most of which come with each of them. */
const names = new Known(textWithoutSecrets);
const texts = new Known(textWithoutSecrets);
/** True for a name that says something of its value. */
const telling = new Known(
  (name) => isSecretName(name) || valueNames.has(name) || name === "required" || holdsSchemas(name),
);

/** The event without secrets; itself when it has none. */
export function eventWithoutSecrets(event: RelayEvent): RelayEvent {
  const cleaner = new Cleaner();
  const data = rewrite(event.data, cleaner);
  const metadata = cleaner.record(event.metadata);
  const category_profile = cleaner.record(event.category_profile);
  const name = texts.of(event.name);
  const same =
    data === event.data &&
    metadata === event.metadata &&
    category_profile === event.category_profile &&
    name === event.name;
  return same ? event : { ...event, name, data, metadata, category_profile };
}

/** Any value without secrets; itself when it has none. Of the words of a command, what stands behind the name of a secret is one. */
export function valueWithoutSecrets(value: Json): Json {
  return rewrite(value, new Cleaner());
}

/** A text without what looks like a secret. What is JSON is read as such. */
export function textWithoutSecrets(text: string): string {
  if (text.length < SHORTEST || word.test(text)) return text;
  const named = mayNameSecrets(text);
  const json = named ? jsonWithoutSecrets(text) : undefined;
  if (json !== undefined) return json;
  const schemed = scheme.test(text);
  let clean = withoutPrivateKeys(withoutUserinfo(text, REDACTED), REDACTED);
  if (schemed) clean = withoutBasic(clean, REDACTED);
  const longest = longestWord(clean);
  for (const { detector, clue } of sought)
    if (clue(clean, longest, schemed)) clean = replaceFound(clean, detector, () => REDACTED);
  return named ? withoutAssigned(clean, REDACTED) : clean;
}

/** Undefined for what isn't JSON, or is too deep. */
function jsonWithoutSecrets(text: string): string | undefined {
  if (!/^\s*[[{"]/.test(text)) return undefined;
  try {
    const value: Json = JSON.parse(text);
    const clean = rewrite(value, new Cleaner());
    return clean === value ? text : rewrittenJson(text);
  } catch {
    return undefined;
  }
}

/** A string of JSON, or a number. */
const scalars = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g;

/** Valid JSON without its secrets; its numbers stay as they are written, for not all of them are JavaScript's. */
function rewrittenJson(text: string): string {
  const numbers: string[] = [];
  const kept = text.replace(scalars, (scalar) => {
    if (scalar.startsWith('"') || String(Number(scalar)) === scalar) return scalar;
    return `"\\u0000#${numbers.push(scalar) - 1}"`;
  });
  const value: Json = JSON.parse(kept);
  const clean = JSON.stringify(rewrite(value, new Cleaner()));
  return clean.replace(/"\\u0000#(\d+)"/g, (found, n: string) => numbers[Number(n)] ?? found);
}

/** Takes the secrets out of one value. */
class Cleaner implements Rewriter {
  /** Long texts: the same text is mostly the same string, which is told without reading it. */
  readonly #known: { readonly text: string; readonly clean: string }[] = [];

  text(text: string): string {
    if (text.length < LONG) return texts.of(text);
    const known = this.#known.find((one) => one.text === text);
    if (known !== undefined) return known.clean;
    const clean = textWithoutSecrets(text);
    if (this.#known.length < KNOWN) this.#known.push({ text, clean });
    return clean;
  }

  key(name: string): string {
    return names.of(name);
  }

  list(list: readonly Json[]): readonly Json[] {
    return listWithoutSecrets(list);
  }

  property(name: string, value: Json, owner: JsonObject): Json | undefined {
    if (value === null || typeof value === "boolean" || !telling.of(name)) return undefined;
    // A header or a field of a form.
    if (valueNames.has(name) && nameNames.some((key) => isSecret(own(owner, key)))) return REDACTED;
    // What a schema requires are names, and may look like a header.
    if (name === "required" && isList(value)) return rewrite(value, { text: textWithoutSecrets });
    if (isSchemaMap(name, value)) return this.#schemas(value);
    if (!isSecretName(name)) return undefined;
    if (typeof value === "number") return mayBeNumber(name) ? REDACTED : undefined;
    // A piece of what a model has written.
    return name === "token" && Object.hasOwn(owner, "logprob") ? undefined : REDACTED;
  }

  record(metadata: Metadata | null): Metadata | null {
    if (metadata === null) return null;
    const entries = rewrite(metadata, this);
    return typeof entries === "object" && entries !== null ? (entries as Metadata) : null;
  }

  /** Schemas by the names of what they are about. */
  #schemas(schemas: JsonObject): Json {
    const entries = Object.entries(schemas).map(([name, schema]): readonly [string, Json] => {
      const shown = isSecretName(name) ? withoutGiven(schema, () => REDACTED) : schema;
      return [name, rewrite(shown, this)];
    });
    return Object.fromEntries(entries);
  }
}

/** Names and values in turn, as headers are, or the words of a command: what stands behind the name of a secret is one. */
function listWithoutSecrets(list: readonly Json[]): readonly Json[] {
  const paired = list.length % 2 === 0 && list.some((name, n) => n % 2 === 0 && isSecret(name));
  const isNamed = (n: number): boolean =>
    n > 0 && (isSecretOption(list[n - 1]) || (paired && n % 2 === 1 && isSecret(list[n - 1])));
  if (!paired && !list.some(isSecretOption)) return list;
  return list.map((value, n) =>
    isNamed(n) && value !== null && typeof value !== "boolean" && !isOption(value) ? REDACTED : value,
  );
}

function isSecretOption(name: Json | undefined): boolean {
  return isOption(name) && isSecret(name);
}

function isOption(value: Json | undefined): boolean {
  return typeof value === "string" && value.startsWith("-");
}

function isSecret(name: Json | undefined): boolean {
  return typeof name === "string" && name.length <= LONGEST_NAME && isSecretName(name);
}

/** How many characters the longest word has, if it has 16: looked for from a word's end, so that most of a text is leapt over. */
function longestWord(text: string): number {
  let longest = 15;
  // Behind a break, or at the beginning.
  for (let start = 0; start + longest < text.length; ) {
    let at = start + longest;
    while (at >= start && isOfWord(text.charCodeAt(at))) at -= 1;
    if (at < start) {
      let end = start + longest + 1;
      while (end < text.length && isOfWord(text.charCodeAt(end))) end += 1;
      longest = end - start;
      at = end;
    }
    start = at + 1;
  }
  return longest;
}

/** Asks for what is in the table alone: one look past its end makes all later ones slow. */
function isOfWord(code: number): boolean {
  return code < wordCodes.length && wordCodes[code] === 1;
}
