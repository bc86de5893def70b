/**
 * Start corrections: what just-bash 3.4.2 loads with itself, and most commands never use, is loaded by whoever uses it first. The first command of
 * a process waits for all of just-bash: without these it waits for a third longer.
 */
import type { ShellCorrection } from "./shell-correction.ts";

const SHELL = "index.js";
const GUARD = "chunks/chunk-ZBUZKIPX.js";

/** Their words take part in the others' (`shell-corrections.ts`). */
export const startCorrections: readonly ShellCorrection[] = [
  {
    why: "A quarter of its text is the engine of regular expressions, for patterns. A command is running then, which may load nothing itself.",
    file: SHELL,
    has: 'import{a as ge}from"./chunks/chunk-KVG5FR5F.js";',
    gets: 'function ge(...p){return(ge.load??=Ce.runTrusted(()=>require("./chunks/chunk-KVG5FR5F.js")).a)(...p)}',
  },
  {
    why: "Names are looked up by its own way out alone, which no shell here has.",
    file: SHELL,
    has: 'import{lookup as qm}from"node:dns";',
    gets: 'function qm(...p){return Ce.runTrusted(()=>require("node:dns")).lookup(...p)}',
  },
  {
    why: "Only its read-write mounts draw random bytes, and no shell here has one.",
    file: SHELL,
    has: 'import{randomBytes as ay}from"node:crypto";',
    gets: 'function ay(...p){return Ce.runTrusted(()=>require("node:crypto")).randomBytes(...p)}',
  },
  {
    why: "Node loads its cryptography for the id of an execution, which is a name in this process and no secret.",
    file: GUARD,
    has: 'typeof crypto<"u"&&crypto.randomUUID?crypto.randomUUID():"xxx',
    gets: '"xxx',
  },
  {
    why: "The engine loads its tables of languages to put a dozen English words in order.",
    file: SHELL,
    has: "r.name.localeCompare(s.name)",
    gets: "r.name<s.name?-1:1",
  },
];
