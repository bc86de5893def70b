/**
 * Detectors: what personal data and secrets look like.
 *
 * Every pattern has bounds, or consumes what it has read, so that reading a text takes a time that grows with its length
 * alone; what a pattern can't say (a card's check digit, whether colons make an address) a function decides.
 */

/** What one detector looks for. */
export interface Detector {
  readonly name: DetectorName;
  /** Global. */
  readonly pattern: RegExp;
  /** Whether what the pattern found is it. Default: yes. */
  readonly holds?: (found: string) => boolean;
  /** Something that gives access, rather than something about a person. */
  readonly secret: boolean;
}

/** The names of the detectors, as configurations have them. */
export type DetectorName = (typeof detectorNames)[number];

/** All of them. */
export const detectorNames = [
  "email",
  "phone",
  "api_key",
  "ip_address",
  "ipv6",
  "url",
  "uuid",
  "bearer_token",
  "jwt",
  "credit_card",
  "aws_access_key_id",
  "aws_secret_access_key",
  "gcp_api_key",
  "azure_storage_account_key",
] as const;

type Row = Omit<Detector, "name">;

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)";
/** Those that are no words of a program's own names are found behind "_" as well. */
const keyPrefixes = "sk|gh[pousr]|github_pat|glpat|xox[abeoprs]|nvapi";
const keyWords = "pk|rk|npm|hf|key";

const rows: Readonly<Record<DetectorName, Row>> = {
  email: {
    pattern: /[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}/g,
    secret: false,
  },
  phone: {
    pattern:
      /(?<![\w.+-])(?:\+\d{8,15}|(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\d{2,4}[ .-])\d{3,4}[ .-]\d{3,4})(?![\w-])/g,
    secret: false,
  },
  api_key: {
    pattern: new RegExp(
      `(?:(?<![A-Za-z0-9])(?:${keyPrefixes})|\\b(?:${keyWords}))[-_][A-Za-z0-9_-]{16,}|(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/=_-]{16,}|(?<![A-Za-z0-9])ya29\\.[A-Za-z0-9_-]{16,}|(?<![A-Za-z0-9])SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}`,
      "g",
    ),
    secret: true,
  },
  ip_address: {
    pattern: new RegExp(`(?<![\\w.])(?:${octet}\\.){3}${octet}(?![\\w.]*\\d)`, "g"),
    secret: false,
  },
  ipv6: {
    pattern: /(?<![\w:.])[0-9A-Fa-f:]{2,39}(?:\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})?(?![\w:])/g,
    holds: isIpv6,
    secret: false,
  },
  url: { pattern: /\b[A-Za-z][A-Za-z0-9+.-]{1,20}:\/\/[^\s"'<>]{1,2048}/g, secret: false },
  uuid: {
    pattern: /\b[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}\b/g,
    secret: false,
  },
  bearer_token: { pattern: /\bBearer\s{1,4}[A-Za-z0-9._~+/=-]{8,}/gi, secret: true },
  jwt: {
    // It may only begin near the beginning of a word: so that no word is read from each of its characters.
    pattern:
      /(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{0,64}?eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}/g,
    secret: true,
  },
  credit_card: { pattern: /(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g, holds: hasCheckDigit, secret: true },
  aws_access_key_id: {
    pattern: /(?<![A-Z0-9])(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA)[A-Z0-9]{16}(?![A-Z0-9])/g,
    secret: true,
  },
  aws_secret_access_key: {
    pattern: /(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=])/g,
    holds: (found) => /[a-z]/.test(found) && /[A-Z]/.test(found) && /\d/.test(found),
    secret: true,
  },
  gcp_api_key: { pattern: /\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])/g, secret: true },
  azure_storage_account_key: { pattern: /(?<![A-Za-z0-9/+])[A-Za-z0-9/+]{86}==/g, secret: true },
};

/** The detectors by name. */
export const detectors: ReadonlyMap<string, Detector> = new Map(
  detectorNames.map((name) => [name, { name, ...rows[name] }]),
);

/** `text` with what `detector` finds replaced. */
export function replaceFound(text: string, detector: Detector, replace: (found: string) => string): string {
  const { pattern, holds } = detector;
  return text.replace(pattern, (found) => (holds === undefined || holds(found) ? replace(found) : found));
}

/** Luhn's. */
function hasCheckDigit(found: string): boolean {
  const digits = found.replace(/\D/g, "");
  let sum = 0;
  for (let n = 0; n < digits.length; n++) {
    const digit = Number(digits.at(-1 - n));
    const doubled = n % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** Eight groups, or fewer around one gap; a time of the day is none. */
function isIpv6(found: string): boolean {
  const [left = "", right, ...more] = found.split("::");
  const gap = right !== undefined;
  if (more.length > 0 || !/[0-9A-Fa-f]/.test(found)) return false;
  const groups = [left, right ?? ""].filter((part) => part !== "").flatMap((part) => part.split(":"));
  const last = groups.at(-1) ?? "";
  const dotted = last.includes(".") ? 1 : 0;
  if (!groups.slice(0, groups.length - dotted).every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group)))
    return false;
  const count = groups.length + dotted;
  return gap ? count < 8 : count === 8;
}
