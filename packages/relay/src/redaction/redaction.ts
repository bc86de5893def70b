/**
 * Redaction: rewrites JSON by profiles, one after the other.
 *
 * A profile looks for something (a detector or a pattern) in texts, or means whole values by their path, or both: then it
 * looks in what lies there. Property names are no texts: they stay.
 */
import { isList, isObject } from "../codecs/json.ts";
import type { Json } from "../events/event.ts";
import { type DetectorName, detectors, replaceFound } from "./detectors.ts";
import { matchesPath } from "./json-path.ts";
import { rewrite } from "./rewrite.ts";

/** One thing to do. Names are those of configurations. */
export interface RedactionProfile {
  readonly action: "remove" | "redact" | "regex_replace" | "hash" | "mask";
  readonly detector?: DetectorName;
  readonly pattern?: string;
  /** JSON pointers from the payload's root. */
  readonly target_paths?: readonly string[];
  /** The same with `*` for any one name and `**` for any number of them. */
  readonly target_path_globs?: readonly string[];
  /** Default: "[REDACTED]"; of a pattern it may have `$1`. */
  readonly replacement?: string;
  /** Default: "*". */
  readonly mask_char?: string;
  /** Characters that a mask leaves at the beginning and at the end. Default: 0; of an e-mail address, all but the name. */
  readonly unmasked_prefix?: number;
  readonly unmasked_suffix?: number;
}

type Replace = (found: string) => string;

/** Rewrites JSON by profiles. */
export class Redaction {
  readonly #profiles: readonly Applied[];

  constructor(profiles: readonly RedactionProfile[], sha256: (text: string) => string) {
    this.#profiles = profiles.map((profile) => new Applied(profile, sha256));
  }

  /** The value, redacted. */
  of(value: Json): Json {
    return this.#profiles.reduce((rest, profile) => profile.of(rest), value);
  }

  /** The value without what profiles look for in texts; paths mean nothing here. */
  found(value: Json): Json {
    return this.#profiles.reduce((rest, profile) => profile.found(rest), value);
  }
}

class Applied {
  readonly #profile: RedactionProfile;
  readonly #paths: readonly string[];
  readonly #replace: Replace;
  readonly #text: (text: string) => string;

  constructor(profile: RedactionProfile, sha256: (text: string) => string) {
    this.#profile = profile;
    this.#paths = [...(profile.target_paths ?? []), ...(profile.target_path_globs ?? [])];
    this.#replace = replacer(profile, sha256);
    this.#text = searcher(profile, this.#replace);
  }

  of(value: Json): Json {
    if (this.#paths.length === 0) return rewrite(value, { text: this.#text });
    return this.#at(value, []) ?? null;
  }

  found(value: Json): Json {
    return this.#paths.length === 0 ? rewrite(value, { text: this.#text }) : value;
  }

  /** Undefined: it is removed. */
  #at(value: Json, path: readonly string[]): Json | undefined {
    if (this.#paths.some((target) => matchesPath(target, path))) return this.#meant(value);
    if (isList(value))
      return value.flatMap((element, n) => {
        const rest = this.#at(element, [...path, `${n}`]);
        return rest === undefined ? [] : [rest];
      });
    if (!isObject(value)) return value;
    const entries = Object.entries(value).flatMap(([key, field]): readonly (readonly [string, Json])[] => {
      const rest = this.#at(field, [...path, key]);
      return rest === undefined ? [] : [[key, rest]];
    });
    return Object.fromEntries(entries);
  }

  /** What becomes of a value that a path means. */
  #meant(value: Json): Json | undefined {
    if (this.#profile.action === "remove") return undefined;
    return rewrite(value, { text: this.#text, scalar: (scalar) => this.#scalar(scalar) });
  }

  /** A number or a flag is looked at as a text, and stays what it is where nothing is found. */
  #scalar(value: number | boolean): Json {
    const text = `${value}`;
    const rest = this.#text(text);
    return rest === text ? value : rest;
  }
}

/** What a profile does with a text: with what it finds there, or with all of it. */
function searcher(profile: RedactionProfile, replace: Replace): (text: string) => string {
  const detector = profile.detector === undefined ? undefined : detectors.get(profile.detector);
  if (detector !== undefined) return (text) => replaceFound(text, detector, replace);
  if (profile.pattern === undefined) return replace;
  const pattern = new RegExp(profile.pattern, "g");
  const { action, replacement } = profile;
  // `$1` and the like are the replacement's own business.
  if (action === "regex_replace" && replacement !== undefined)
    return (text) => text.replace(pattern, replacement);
  return (text) => text.replace(pattern, (found) => replace(found));
}

function replacer(profile: RedactionProfile, sha256: (text: string) => string): Replace {
  switch (profile.action) {
    case "hash":
      return sha256;
    case "mask":
      return (found) => masked(found, profile);
    case "remove":
      return () => "";
    default:
      return () => profile.replacement ?? "[REDACTED]";
  }
}

function masked(found: string, profile: RedactionProfile): string {
  const { mask_char: star = "*", unmasked_prefix, unmasked_suffix, detector } = profile;
  const characters = [...found];
  const plain = unmasked_prefix === undefined && unmasked_suffix === undefined;
  const name = plain && detector === "email" ? characters.indexOf("@") : -1;
  const head = name > 0 ? Math.min(1, name - 1) : (unmasked_prefix ?? 0);
  const tail = name > 0 ? characters.length - name : (unmasked_suffix ?? 0);
  // A mask that hides nothing would be none.
  if (head + tail >= characters.length) return star.repeat(characters.length);
  return characters.map((one, n) => (n < head || n >= characters.length - tail ? one : star)).join("");
}
