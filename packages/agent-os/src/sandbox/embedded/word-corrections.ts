/** Word corrections: what the words of a command become, where just-bash 3.4.2 has it otherwise than bash. */
import type { ShellCorrection } from "./shell-correction.ts";

/** Their words take part in the others' (`shell-corrections.ts`). */
export const wordCorrections: readonly ShellCorrection[] = [
  {
    why: "A variable that holds a command and its arguments is looked for as one command's name.",
    has: "let u=await se(this.ctx,t.name),f=[],d=[],p=",
    gets: 'let z=t.name.parts.some(P=>P.type==="CommandSubstitution"||P.type==="ParameterExpansion"||P.type==="ArithmeticExpansion"||P.type==="DoubleQuoted")?(await gt(this.ctx,t.name)).values:[await se(this.ctx,t.name)],u=z[0]??"",f=z.slice(1),d=f.map(()=>!1),p=',
  },
  {
    why: '`"$@"` is a command and its arguments, and no command at all where it has none.',
    has: "let m=t.name.parts.every(P=>",
    gets: "let m=z.length===0||t.name.parts.every(P=>",
  },
  {
    why: "With `set -u` a default in quotes is an error: the variable that it stands for is read first.",
    has: 'c=await St(e,l),u=await ie(e,l),f=u===""',
    gets: 'c=await St(e,l),u=c?await ie(e,l):"",f=u===""',
  },
  {
    why: "Within `$(…)` a `#` in the middle of a word begins a comment (`$(echo $#)`), and the rest of the line isn't run.",
    has: 'V==="#"&&!$&&(N===""||/\\s/.test(s[o-1]||""))',
    gets: 'V==="#"&&!$&&/[\\s;&|()]/.test(s[o-1]??" ")',
  },
  {
    why: "`*/` finds files, too, and leaves the slash out.",
    has: "return(await this.expandSegments(i,o,a)).sort()}",
    gets: 'i=await this.fs.realpath(i).catch(()=>i);let q=(await this.expandSegments(i,o,a)).sort();if(!t.endsWith("/"))return q;let z=this.filterGlobignore(q).map(async P=>(await this.fs.stat(this.fs.resolvePath(this.cwd,P)).catch(()=>void 0))?.isDirectory?[P+"/"]:[]);return(await Promise.all(z)).flat()}',
  },
  {
    why: "A pattern goes into no directory that a link leads to.",
    has: "d.isDirectory&&l.push(this.expandSegments(p,h,i))}",
    gets: "d.isSymbolicLink?l.push(this.fs.realpath(p).then(P=>this.expandSegments(P,h,i),()=>[])):d.isDirectory&&l.push(this.expandSegments(p,h,i))}",
  },
].map((correction) => ({ ...correction, file: "index.js" }));
