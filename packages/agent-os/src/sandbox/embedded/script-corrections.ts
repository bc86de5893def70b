/** Script corrections: what a script's own words do otherwise in just-bash 3.4.2 than in bash, and awk's. */
import type { ShellCorrection } from "./shell-correction.ts";

const SHELL = "index.js";
const AWK = "chunks/chunk-3CBCABOZ.js";

const variables: readonly ShellCorrection[] = [
  {
    why: "Behind a function that had a local variable `unset` does nothing to the one of that name outside.",
    file: SHELL,
    has: "if(h)for(let[w,b]of h)b===void 0?e.state.env.delete(w):e.state.env.set(w,b);if(m){",
    gets: "if(h)for(let[w,b]of h){b===void 0?e.state.env.delete(w):e.state.env.set(w,b);let q=e.state.localScopes.findLastIndex(s=>s.has(w));q<0?e.state.localVarDepth?.delete(w):e.state.localVarDepth?.set(w,q+1)}if(m){",
  },
  {
    why: "`read -d` looks for a letter beyond ASCII among bytes: bash takes the first of its own.",
    file: SHELL,
    has: String.raw`let S=i===""?"\0":i,v="",`,
    gets: String.raw`let S=i===""?"\0":Tt(i)[0],v="",`,
  },
];

/** NULs in what a substitution gives are dropped. */
const nuls: readonly ShellCorrection[] = [
  ["let m=p.stdout.replace(", 'let m=p.stdout.replaceAll("\\0","").replace('],
  ["let h=p.stdout.replace(", 'let h=p.stdout.replaceAll("\\0","").replace('],
  ["let w=m.replace(/\\n+$/", 'let w=m.replaceAll("\\0","").replace(/\\n+$/'],
].map(([has = "", gets = ""]) => ({ file: SHELL, why: "A variable has NULs.", has, gets }));

const scripts: readonly ShellCorrection[] = [
  {
    why: "`source /dev/stdin` reads an empty file.",
    file: SHELL,
    has: 'if(t==="source"||t===".")return Xo(c,n);',
    gets: 'if(t==="source"||t===".")return Xo(c,n,s||c.state.groupStdin);',
  },
  {
    why: "It gets what its command reads.",
    file: SHELL,
    has: "async function Xo(e,t){",
    gets: "async function Xo(e,t,stdin){",
  },
  {
    why: "And runs that.",
    file: SHELL,
    has: 'let r=n[0],s=null,i=null;if(r.includes("/")){',
    gets: 'let r=n[0],s=null,i=null;if(r==="/dev/stdin")i=Vf(stdin??""),s=r;else if(r.includes("/")){',
  },
  {
    why: "The options of a script's first line are passed over.",
    file: SHELL,
    has: "l!==-1&&(i=i.slice(l+1))}let o=e.state.loopDepth",
    gets: String.raw`if(l!==-1){let q=/^#!.*sh\s+-([euxvf]+)\s*$/.exec(i.slice(0,l))?.[1];i=(q?"set -"+q+";":"")+i.slice(l+1)}}let o=e.state.loopDepth`,
  },
];

/** The name of a file that awk writes is what is joined there, not its first part alone. */
const awk: readonly ShellCorrection[] = [
  'n={redirect:">",',
  'n={redirect:">>",',
  's={redirect:">",',
  's={redirect:">>",',
].map((before) => ({
  file: AWK,
  why: 'What awk prints to `$1".txt"` goes to `$1`.',
  has: `${before}file:e.parsePrimary()`,
  gets: `${before}file:e.parseConcatenation()`,
}));

/** Their words take part in the others' (`shell-corrections.ts`). */
export const scriptCorrections: readonly ShellCorrection[] = [...variables, ...nuls, ...scripts, ...awk];
