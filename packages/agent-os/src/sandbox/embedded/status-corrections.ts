/** Status corrections: what `$?` is, and what ends a script, where just-bash 3.4.2 has it otherwise than bash. */
import type { ShellCorrection } from "./shell-correction.ts";

const SHELL = "index.js";
const ERRORS = "chunks/chunk-EFORKKSH.js";

/** `set -e`. */
const errexit: readonly ShellCorrection[] = [
  {
    why: "What fails inside of a group or a function on the left of `||`, `&&` or behind `!` ends the script.",
    file: SHELL,
    has: "let f=await this.executePipeline(c);",
    gets: "let w=this.ctx.state.inCondition,f;(l<t.pipelines.length-1||c.negated)&&(this.ctx.state.inCondition=!0);try{f=await this.executePipeline(c)}finally{this.ctx.state.inCondition=w}",
  },
  {
    why: "A failure that was passed over inside of a loop, a group or a function ends the script behind it, or doesn't, by what ran last. What is made of other commands ends it by these, or when its own redirect fails.",
    file: SHELL,
    has: "a=this.ctx.state.errexitSafe;",
    gets: "q=t.pipelines[s]?.commands,a=q?.length===1&&!/^(Simple|Subs|Arith|Cond)/.test(q[0].type)&&!this.ctx.state.notOpened;this.ctx.state.notOpened=!1;",
  },
  {
    why: "This tells of a redirect that fails.",
    file: SHELL,
    has: "if(i=await s.prepare(n),i.error)return zn(i);let o=e.state.groupStdin,a=",
    gets: "if(i=await s.prepare(n),i.error)return e.state.notOpened=!0,zn(i);let o=e.state.groupStdin,a=",
  },
  {
    why: "A command substitution is ended by it, too, and what it sets stays set behind it: options, functions, and what a variable is.",
    file: SHELL,
    has: "let p=await e.executeScript(t.body),h=p.exitCode;",
    gets: "let{options,shoptOptions,functions,readonlyVars,integerVars,lowercaseVars,uppercaseVars,exportedVars}=e.state,q={options,shoptOptions,functions,readonlyVars,integerVars,lowercaseVars,uppercaseVars,exportedVars},p;e.state.options={...options,errexit:options.errexit&&shoptOptions.inherit_errexit===!0};e.state.shoptOptions={...shoptOptions};e.state.functions=new Map(functions);for(let P in q)q[P]instanceof Set&&(e.state[P]=new Set(q[P]));try{p=await e.executeScript(t.body)}finally{Object.assign(e.state,q)}let h=p.exitCode;",
  },
  {
    why: "What a script makes of its shell is so in the sandbox's next one, and in a shell that it starts: what is read-only, `shopt`, descriptors. A shell's variables are exported to those below it.",
    file: SHELL,
    has: "extraArgs:u.args},w=t;",
    gets: "extraArgs:u.args},w=t;aa(m),m.exportedVars=new Set([...m.exportedVars,...Object.keys(u.env??{}).filter(P=>/^[A-Za-z_]/.test(P))]);",
  },
];

/** `shopt -s inherit_errexit` is taken, and not kept. */
const inherited: ShellCorrection = {
  why: "What has no effect is known by its name alone.",
  file: SHELL,
  has: '"lastpipe","xpg_echo"],nm=[',
  gets: '"lastpipe","xpg_echo","inherit_errexit"],nm=[',
};

/** `break` and `continue` have succeeded. */
const loops: readonly ShellCorrection[] = [
  {
    has: 'if(n.replace(l.stdout,l.stderr),l.action==="break")break;if(l.action==="continue")continue;',
    gets: 'if(n.replace(l.stdout,l.stderr),r=0,l.action==="break")break;if(l.action==="continue")continue;',
  },
  {
    has: 'if(r.replace(a.stdout,a.stderr),a.action==="break")break;',
    gets: 'if(r.replace(a.stdout,a.stderr),s=0,a.action==="break")break;',
  },
  {
    has: 'if(s.replace(h.stdout,h.stderr),h.action==="break")break;',
    gets: 'if(s.replace(h.stdout,h.stderr),i=0,h.action==="break")break;',
  },
  {
    has: 'if(s.replace(f.stdout,f.stderr),f.action==="break")break;',
    gets: 'if(s.replace(f.stdout,f.stderr),i=0,f.action==="break")break;',
  },
].map((correction) => ({
  ...correction,
  file: SHELL,
  why: "A loop that was left has the status of what ran before `break`.",
}));

/** Commands that have no word: assignments and redirects. */
const wordless: readonly ShellCorrection[] = [
  {
    why: "Whether a substitution has run is counted,",
    file: SHELL,
    has: 'case"CommandSubstitution":{let s=Wl(t.body);',
    gets: 'case"CommandSubstitution":{e.state.substitutions=(e.state.substitutions??0)+1;let s=Wl(t.body);',
  },
  {
    why: "from the beginning of a command.",
    file: SHELL,
    has: 'this.ctx.state.expansionStderr="";let s=await nf(this.ctx,t);',
    gets: 'this.ctx.state.expansionStderr="";let run=this.ctx.state.substitutions,last=()=>this.ctx.state.substitutions===run?0:this.ctx.state.lastExitCode,s=await nf(this.ctx,t);',
  },
  {
    why: "An assignment leaves `$?` as it was, though no substitution has run.",
    file: SHELL,
    has: 'return this.ctx.state.expansionStderr="",L("",P,this.ctx.state.lastExitCode)',
    gets: 'return this.ctx.state.expansionStderr="",L("",P,last())',
  },
  {
    why: "So does a command of which nothing is left.",
    file: SHELL,
    has: 'return m?(w.finish(),L("","",this.ctx.state.lastExitCode))',
    gets: 'return m?(w.finish(),L("","",last()))',
  },
  {
    why: "One with a redirect has always succeeded.",
    file: SHELL,
    has: 'let V=L("",o,0),q=',
    gets: 'let V=L("",o,last()),q=',
  },
];

/** What can't be expanded ends a shell, whatever it stands in: a list, a function, a loop. */
const expansions: readonly ShellCorrection[] = [
  {
    why: "A variable that isn't set under `set -u` ends a function alone.",
    file: ERRORS,
    has: `p=class extends n{varName;name="NounsetError";constructor(t,e=""){super(\`\${t}: unbound variable\`,e,\`bash: \${t}: unbound variable\n\`),this.varName=t}},d=class extends n{exitCode;name="ExitError";constructor(t,e="",s=""){super("exit",e,s),this.exitCode=t}},l=class extends n{`,
    gets: `d=class extends n{exitCode;name="ExitError";constructor(t,e="",s=""){super("exit",e,s),this.exitCode=t}},p=class extends d{varName;name="NounsetError";constructor(t,e=""){super(1,e,\`bash: \${t}: unbound variable\n\`),this.varName=t,this.message=\`\${t}: unbound variable\`}},l=class extends d{`,
  },
  {
    why: "So does arithmetic that can't be done.",
    file: ERRORS,
    has: 'name="ArithmeticError";fatal;constructor(t,e="",s="",o=!1){super(t,e,s),this.stderr=',
    gets: 'name="ArithmeticError";fatal;constructor(t,e="",s="",o=!1){super(1,e,s),this.message=t,this.stderr=',
  },
  {
    why: "And what no substitution is.",
    file: ERRORS,
    has: 'h=class extends n{name="BadSubstitutionError";constructor(t,e="",s=""){super(t,e,s),',
    gets: 'h=class extends d{name="BadSubstitutionError";constructor(t,e="",s=""){super(1,e,s),this.message=t,',
  },
  {
    why: "The script's own status is another then.",
    file: SHELL,
    has: "if(y instanceof G)return l({stdout:y.stdout,stderr:y.stderr,exitCode:y.exitCode,",
    gets: "if(y instanceof G)return l({stdout:y.stdout,stderr:y.stderr,exitCode:y instanceof Ve&&!m.options.errexit?127:y.exitCode,",
  },
  {
    why: `\`\${x?word}\` doesn't say of which variable it speaks.`,
    file: SHELL,
    has: `throw new G(1,"",\`bash: \${o}\n\`)}return r.effectiveValue`,
    gets: `throw Object.assign(new Ve(t),{stderr:\`bash: \${n.word?t+": ":""}\${o}\n\`})}return r.effectiveValue`,
  },
];

/** Their words take part in the others' (`shell-corrections.ts`). */
export const statusCorrections: readonly ShellCorrection[] = [
  ...errexit,
  inherited,
  ...loops,
  ...wordless,
  ...expansions,
];
