/**
 * Shell corrections: where just-bash 3.4.2 damages files, or ends a script, without a word, and has neither an option nor a command that could be another.
 * Each is a few words of its text that are others when it is imported. They are those of the one version that this package takes; where one isn't found
 * nothing is imported, and a story tells of it before.
 */
import { FILE_WORDS } from "./file-words.ts";
import { scriptCorrections } from "./script-corrections.ts";
import type { ShellCorrection } from "./shell-correction.ts";
import { startCorrections } from "./start-corrections.ts";
import { statusCorrections } from "./status-corrections.ts";
import { wordCorrections } from "./word-corrections.ts";

/** The words for what was thrown, `a`. */
const WORDS = `${JSON.stringify(FILE_WORDS)}[/^(E[A-Z]+):/.exec(a?.message)?.[1]]`;

/** The shell itself. */
const SHELL = "index.js";
/** Bytes as text, and text as bytes: in pipes, and what commands read. */
const TEXT = "chunks/chunk-GN6CQ3J4.js";
/** Text as bytes: what is written to files. */
const FILES = "chunks/chunk-WNH3HOQA.js";
const ARCHIVES = "chunks/chunk-X3TZEFQG.js";
const ECHO = "chunks/chunk-AGH5UJJI.js";
const PRINTF = "chunks/chunk-4AKAIZPW.js";
const FORMATS = "chunks/chunk-6D3WD6YU.js";

const redirects: readonly ShellCorrection[] = [
  {
    why: "A redirect that can't be opened rejects the script: no exit code, what was printed is lost, and nothing behind it is run. `i` is the path, `t` the word.",
    file: SHELL,
    has: `try{n?await e.fs.appendFile(i,"","binary"):await e.fs.writeFile(i,"","binary")}catch(a){if(!s)throw a;return{error:L("",\`bash: \${t}: cannot open redirect target
\`,1)}}`,
    gets: `try{n?await e.fs.appendFile(i,"","binary"):await e.fs.writeFile(i,"","binary")}catch(a){let w=${WORDS};if(w===void 0)throw a;return{error:L("",\`bash: \${t}: \${w}
\`,1)}}`,
  },
  {
    why: "So does one that can't be written to. `t` is the command.",
    file: SHELL,
    has: "try{i=await this.executeCommandInner(t,n,r)}catch(a){throw await qi(this.ctx,s).catch(()=>{}),a}",
    gets: `try{i=await this.executeCommandInner(t,n,r)}catch(a){let w=${WORDS};if(w===void 0)throw await qi(this.ctx,s).catch(()=>{}),a;i=L("",\`\${t.name?.parts?.[0]?.value??"bash"}: \${w}
\`,1)}`,
  },
  {
    why: "What a group, a subshell or a function printed goes to where the redirect's word leads from the directory that its body has gone to.",
    file: SHELL,
    has: 'let C=A.entry;y.operator==="&>"||y.operator==="&>>"?',
    gets: 'let C=A.entry;C.kind==="output"&&s.set(g,C.path);y.operator==="&>"||y.operator==="&>>"?',
  },
];

const bytes: readonly ShellCorrection[] = [
  {
    why: "Bytes that are no UTF-8 become one letter each, and two bytes when they are written.",
    file: TEXT,
    has: "try{return u.decode(r)}catch{return e}",
    gets: "try{return u.decode(r)}catch{return bytes.decode(e)}",
  },
  {
    why: "They are bytes again in a pipe.",
    file: TEXT,
    has: "let e=y.encode(t),o",
    gets: "let e=bytes.encode(t),o",
  },
  {
    why: "The mark at a text's beginning is lost.",
    file: TEXT,
    has: 'new TextDecoder("utf-8",{fatal:!0})',
    gets: 'new TextDecoder("utf-8",{fatal:!0,ignoreBOM:!0})',
  },
  {
    why: "A file that a command reads as text loses both.",
    file: FILES,
    has: "return a.decode(r)}",
    gets: "return bytes.decode(r)}",
  },
  {
    why: "A byte that stands for itself isn't three.",
    file: TEXT,
    has: "else n+=3}return n}",
    gets: "else n+=o>=56448&&o<=56575?1:3}return n}",
  },
  { why: "And in a file.", file: FILES, has: "return u.encode(r)}", gets: "return bytes.encode(r)}" },
  {
    why: "`read` puts bytes into variables, each as a letter.",
    file: SHELL,
    has: '(v=v.slice(0,-1));let R=_=>s?_:_.replace(/\\\\(.)/g,"$1");',
    gets: '(v=v.slice(0,-1));v=Vf(v);let R=_=>s?_:_.replace(/\\\\(.)/g,"$1");',
  },
  {
    why: "`read -N` counts bytes.",
    file: SHELL,
    has: "let _=Math.min(l,b.length);v=b.substring(0,_),C(v),N=_,P=_>=l,$(N);",
    gets: "let _=bytes.bytesOfCharacters(b,l);v=Vf(b.substring(0,_)),C(v),N=_,P=_<b.length||[...v].length>=l,$(N);",
  },
  {
    why: "`read -n` counts bytes, up to the last character's first one.",
    file: SHELL,
    has: "T<b.length&&_<a;){",
    gets: "T<b.length&&(_<a||bytes.isContinuation(b.charCodeAt(T)));){",
  },
  {
    why: "And the others of each character.",
    file: SHELL,
    has: "else A(oe),T++,_++,N=T}",
    gets: "else A(oe),_+=bytes.isContinuation(b.charCodeAt(T))?0:1,T++,N=T}",
  },
  {
    why: "`mapfile` puts bytes into an array.",
    file: SHELL,
    has: '"string_length");f.push(g)};for(;d<u.length;){',
    gets: '"string_length");f.push(Vf(g))};for(;d<u.length;){',
  },
  {
    why: "What a script printed is decoded once more, so that letters which look like bytes become others.",
    file: SHELL,
    has: "function _f(e){",
    gets: "function _f(e){return e;",
  },
  {
    why: "Whether what a command complains of is text is looked for in its beginning.",
    file: SHELL,
    has: "function Su(e){",
    gets: 'function Su(e){return"utf8";',
  },
];

/** What a command prints, and what a descriptor reads: bytes in one place, and text in another. */
const streams: readonly ShellCorrection[] = [
  {
    why: "What a command says of itself is added, as text, to the bytes that it prints.",
    file: SHELL,
    has: 't=e.executionScope.accountResult(t,"redirection"));let{stdout:l,stderr:c,exitCode:u}=t,',
    gets: 't=e.executionScope.accountResult(t,"redirection"));if(t.stderr!==""&&zf(t)==="bytes")t={...t,stdout:Ys(t),stdoutKind:"text",stdoutEncoding:void 0};let{stdout:l,stderr:c,exitCode:u}=t,',
  },
  {
    why: "A file that a descriptor reads is text, and read as bytes.",
    file: SHELL,
    has: "try{let s=await e.fs.readFile(r);return n?{entry:",
    gets: "try{let s=await vn(e.fs,r);return n?{entry:",
  },
  {
    why: "So is a here-document.",
    file: SHELL,
    has: "let A=await vh(e,y.target);",
    gets: "let A=Tt(await vh(e,y.target));",
  },
  { why: "It is bytes already.", file: SHELL, has: "c=Tt(A),u=-1", gets: "c=A,u=-1" },
  {
    why: "So is a here-string, in a descriptor that gets its number.",
    file: SHELL,
    has: `P={kind:"input",content:\`\${v}\n\`}`,
    gets: `P={kind:"input",content:Tt(\`\${v}\n\`)}`,
  },
  {
    why: "And in one that has it.",
    file: SHELL,
    has: `lt(e,A,{kind:"input",content:\`\${v}\n\`})`,
    gets: `lt(e,A,{kind:"input",content:Tt(\`\${v}\n\`)})`,
  },
  {
    why: "What a descriptor writes that reads, too, is text between bytes.",
    file: SHELL,
    has: "let a=o.content.slice(0,o.position)+r+",
    gets: 's==="utf8"&&(r=Tt(r),s="binary");let a=o.content.slice(0,o.position)+r+',
  },
];

/** What is unpacked. */
const archives: readonly ShellCorrection[] = [
  {
    why: "A file gets the mode of every new file, also one that is to be run. As for a user who isn't root: without what its group and others could write.",
    file: ARCHIVES,
    has: "await e.fs.writeFile(z,m.content),t.preserve&&m.mode)try{await e.fs.chmod(z,m.mode)}catch{}",
    gets: "await e.fs.writeFile(z,m.content),m.mode)try{await e.fs.chmod(z,t.preserve?m.mode:m.mode&493)}catch{}",
  },
  {
    why: "So does a directory.",
    file: ARCHIVES,
    has: "await e.fs.mkdir(z,{recursive:!0}),t.verbose&&",
    gets: "await e.fs.mkdir(z,{recursive:!0}),m.mode&&await e.fs.chmod(z,t.preserve?m.mode:m.mode&493),t.verbose&&",
  },
  {
    why: "What is printed loses bytes that are no UTF-8.",
    file: ARCHIVES,
    has: "h+=new TextDecoder().decode(m.content)",
    gets: "h+=bytes.decode(m.content)",
  },
];

/** `&`: what it is for runs at once, before what is behind it. */
const jobs: readonly ShellCorrection[] = [
  {
    why: "It runs in this shell, and its failure is this shell's.",
    file: SHELL,
    has: "async executeStatement(t){",
    gets: 'async executeStatement(t){if(t.background){let s=this.ctx.state,r=await this.executeCommand({type:"Subshell",body:[{...t,background:!1}],redirections:[]},"");s.lastBackgroundPid=s.nextVirtualPid++;(s.jobs??=new Map).set(String(s.lastBackgroundPid),r.exitCode);s.lastExitCode=0;s.env.set("?","0");return{...r,exitCode:0}}',
  },
  {
    why: "`wait` says of everything that it has gone well.",
    file: SHELL,
    has: 'if(t==="wait")return ne;',
    gets: 'if(t==="wait"){let f=n.filter(p=>/^[0-9]+$/.test(p)).at(-1);if(f===void 0)return ne;let d=c.state.jobs?.get(f);return d===void 0?D("bash: wait: pid "+f+" is not a child of this shell\\n",127):L("","",d)}',
  },
];

/** `\xff` and `\377` are bytes, and not the letter ÿ. */
const escapes: readonly ShellCorrection[] = [
  {
    file: ECHO,
    has: "let l=parseInt(a,8)%256;s+=String.fromCharCode(l)",
    gets: "s+=bytes.byteInText(parseInt(a,8))",
  },
  {
    file: ECHO,
    has: 'let l=parseInt(a,16);s+=String.fromCharCode(l),e=t}break}case"u"',
    gets: 's+=bytes.byteInText(parseInt(a,16)),e=t}break}case"u"',
  },
  {
    file: FORMATS,
    has: "n+=String.fromCharCode(parseInt(l,8))",
    gets: "n+=bytes.byteInText(parseInt(l,8))",
  },
  {
    file: FORMATS,
    has: 'try{let o=new TextDecoder("utf-8",{fatal:!0});n+=o.decode(new Uint8Array(l))}catch{for(let o of l)n+=String.fromCharCode(o)}',
    gets: "n+=bytes.decode(new Uint8Array(l));",
  },
  {
    file: PRINTF,
    has: 'i?n+=String.fromCharCode(parseInt(i,8)):n+="\\0"',
    gets: 'i?n+=bytes.byteInText(parseInt(i,8)):n+="\\0"',
  },
  {
    file: PRINTF,
    has: "n+=String.fromCharCode(parseInt(i,8)),r=t",
    gets: "n+=bytes.byteInText(parseInt(i,8)),r=t",
  },
  {
    file: PRINTF,
    has: "i.length>0?(n+=X(i),r=t)",
    gets: "i.length>0?(n+=bytes.decode(new Uint8Array(i)),r=t)",
  },
  {
    file: PRINTF,
    has: "return{value:String.fromCharCode(a),parseError",
    gets: "return{value:bytes.byteInText(a),parseError",
  },
  {
    file: SHELL,
    has: "let c=parseInt(a,8);r+=String.fromCharCode(c),s=l;break}default:r+=i,s++}",
    gets: "r+=bytes.byteInText(parseInt(a,8)),s=l;break}default:r+=i,s++}",
  },
  {
    file: SHELL,
    has: "a.length>0?(r+=bd(a),s=l)",
    gets: "a.length>0?(r+=bytes.decode(new Uint8Array(a)),s=l)",
  },
].map((correction) => ({ ...correction, why: "An escape for a byte is a letter, two bytes in a file." }));

/** `printf %q` writes a letter below U+0100 as the byte of that number, which is another letter's, or none. */
const quotes: readonly ShellCorrection[] = [
  {
    has: "/[\\x00-\\x1f\\x7f-\\xff]/.test(e)",
    gets: "/[\\x00-\\x1f\\x7f\\u{dc80}-\\u{dcff}]/u.test(e)",
  },
  { has: "t<32||t>=127&&t<=255?r+=4", gets: "t<32||t===127||t>=56448&&t<=56575?r+=4" },
  { has: "s<32||s>=127&&s<=255?i+=", gets: "s<32||s===127||s>=56448&&s<=56575?i+=" },
  { has: "s.toString(8).padStart(3", gets: "(s&255).toString(8).padStart(3" },
].map((correction) => ({ ...correction, file: PRINTF, why: "`printf %q` quotes letters as bytes." }));

/** All of them. */
export const shellCorrections: readonly ShellCorrection[] = [
  ...startCorrections,
  ...redirects,
  ...statusCorrections,
  ...scriptCorrections,
  ...wordCorrections,
  ...bytes,
  ...streams,
  ...archives,
  ...jobs,
  ...escapes,
  ...quotes,
];

/** A file of just-bash as it is to be; `undefined` where nothing of it is to change. Throws where it has another text. */
export function corrected(file: string, text: string): string | undefined {
  const here = shellCorrections.filter((correction) => correction.file === file);
  if (here.length === 0) return undefined;
  // All in one go: the text is long, and the first command of a process waits for it.
  const places = here.map(({ has, gets, why }) => {
    const from = text.indexOf(has);
    if (from === -1) throw new Error(`just-bash has another text than 3.4.2: ${file} (${why})`);
    return { from, to: from + has.length, gets };
  });
  let corrected = "";
  let at = 0;
  for (const { from, to, gets } of places.sort((one, other) => one.from - other.from)) {
    corrected += text.slice(at, from) + gets;
    at = to;
  }
  return corrected + text.slice(at);
}
