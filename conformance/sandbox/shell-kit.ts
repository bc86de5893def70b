/**
 * What scripts leave behind, on every `SandboxDriver`, as bash does it: where a shell of our own differs without a word, files are wrong and nobody knows.
 * Call it in a test file: it registers stories with vitest.
 */
import { expect } from "vitest";
import type { Sandbox } from "../../packages/agent-os/src/index.ts";
import { type DriverUnderTest, storyteller } from "./drivers.ts";

/** A script, and what there is behind it: each file's bytes, of those that are no ASCII each as `\xff`. */
export interface Told {
  readonly script: string;
  readonly stdout?: string;
  readonly exitCode?: number;
  readonly files?: Readonly<Record<string, string>>;
}

/** Letters go from a file through a shell's variables into another, whichever way. */
const letters: readonly Told[] = [
  ...[
    'while read -r l; do echo "$l"; done < f > g',
    `while IFS= read -r l; do printf '%s\\n' "$l"; done < f > g`,
    'cat f | while read l; do echo "$l"; done > g',
    'sed "" f | while read l; do echo "$l"; done > g',
    'while read l; do echo "$l"; done < f | cat > g',
    'while read l; do echo "$l" >> g; done < f',
    '{ read a; read b; } < f; echo "$a" > g; echo "$b" >> g',
    'f() { read a; read b; echo "$a"; echo "$b"; }; f < f > g',
    'x=$(cat f); echo "$x" > g',
    `mapfile -t m < f; printf '%s\\n' "\${m[@]}" > g`,
    `readarray m < f; printf '%s' "\${m[@]}" > g`,
    'while read l; do echo "$l"; done <<< "$(cat f)" > g',
    'while read l; do echo "$l"; done < <(cat f) > g',
    'exec 4< f; read -u 4 a; read -u 4 b; echo "$a" > g; echo "$b" >> g',
    "exec 4< f; cat <&4 > g",
    'sh -c "while read l; do echo \\$l; done" < f > g',
    "cat > g << END\n$(cat f)\nEND",
    "exec 5<<END\n$(cat f)\nEND\ncat <&5 > g",
  ].map((script) => ({
    script: `printf 'na\\xc3\\xafve\\n\\xe6\\x97\\xa5\\n' > f; ${script}`,
    files: { f: "na\\xc3\\xafve\n\\xe6\\x97\\xa5\n", g: "na\\xc3\\xafve\n\\xe6\\x97\\xa5\n" },
  })),
  {
    script: `read -n 2 a <<< äöü; read -N 2 b <<< äöü; { read -n 1 c; read -n 1 d; } <<< éü; IFS=: read e f <<< Zoë:Öl; echo "$a $b $c $d $e $f" > g`,
    files: {
      g: "\\xc3\\xa4\\xc3\\xb6 \\xc3\\xa4\\xc3\\xb6 \\xc3\\xa9 \\xc3\\xbc Zo\\xc3\\xab \\xc3\\x96l\n",
    },
  },
  {
    // Letters that look like the bytes of another.
    script: `echo "Ã¯"; sh -c 'echo "Ã¯"' > f; cat f; read x < f; echo "$x" | xargs echo > g`,
    stdout: "Ã¯\nÃ¯\n",
    files: { f: "\\xc3\\x83\\xc2\\xaf\n", g: "\\xc3\\x83\\xc2\\xaf\n" },
  },
  {
    script: `echo Zoë > f; while read n; do mkdir "$n"; touch "$n/ü"; done < f; ls Zoë; cat nö 2>&1 | cut -d: -f2-; printf '%q' Ö`,
    stdout: "ü\n nö: No such file or directory\nÖ",
    files: { f: "Zo\\xc3\\xab\n", "Zoë/ü": "" },
  },
];

/** What is no UTF-8 stays what it is. */
const raw: readonly Told[] = [
  {
    script: `printf '\\xff' > a; printf '\\377\\376' > b; echo -ne '\\xff\\0376' > c; printf '%s' $'\\xff' $'\\376' > d; printf '%b' '\\xff\\0376' > e; printf '\\x89PNG\\r\\n\\x1a\\n' > f; printf '%c' é > g`,
    files: {
      a: "\\xff",
      b: "\\xff\\xfe",
      c: "\\xff\\xfe",
      d: "\\xff\\xfe",
      e: "\\xff\\xfe",
      f: "\\x89PNG\\x0d\n\\x1a\n",
      g: "\\xc3",
    },
  },
  {
    // Parts of a character, one behind the other, are one.
    script: `printf '\\xc3\\xa9' > a; printf '%s' $'\\xc3' $'\\xa9' > b; { printf '\\xc3'; printf '\\xa9'; } > c; echo -e '\\0303\\0251' > d`,
    files: { a: "\\xc3\\xa9", b: "\\xc3\\xa9", c: "\\xc3\\xa9", d: "\\xc3\\xa9\n" },
  },
  ...[
    "cat f > g",
    "{ cat f; } > g",
    'x=$(cat f); echo "$x" > g',
    "sed s/q/r/ f > g",
    "cp f g; sed -i s/q/r/ g",
    "awk '{print $0}' f > g",
    "sort f > g",
    "tac f | tac > g",
    "cat f | tee g > /dev/null",
    "x=$(cat f); export x; sh -c 'echo \"$x\"' > g",
    `mapfile f < f; printf '%s' "\${f[@]}" > g`,
    "{ cat f; ls missing; } > g 2> /dev/null; true",
  ].map((script) => ({
    script: `printf 'a\\xff\\xfe\\xc3\\n' > f; ${script}`,
    files: { f: "a\\xff\\xfe\\xc3\n", g: "a\\xff\\xfe\\xc3\n" },
  })),
  {
    script: `printf '\\xff\\n' > b; { cat b; echo ä; } > c; { echo ä; cat b; } | cat > d; { cat b; echo é >&2; } > e 2>&1; [ "$(cat b)" = $'\\xff' ] && echo same; x=$(cat b); echo \${#x}; cat b`,
    stdout: "same\n1\n\ufffd\n",
    files: {
      b: "\\xff\n",
      c: "\\xff\n\\xc3\\xa4\n",
      d: "\\xc3\\xa4\n\\xff\n",
      e: "\\xff\n\\xc3\\xa9\n",
    },
  },
  {
    script: `printf '\\xef\\xbb\\xbfmark\\n' > f; sed s/m/M/ f > g; x=$(cat f); echo "$x" > h; read y < f; echo "$y" > i`,
    files: {
      f: "\\xef\\xbb\\xbfmark\n",
      g: "\\xef\\xbb\\xbfMark\n",
      h: "\\xef\\xbb\\xbfmark\n",
      i: "\\xef\\xbb\\xbfmark\n",
    },
  },
];

/** A redirect leads to what its word was when it was opened, wherever the command goes. */
const redirects: readonly Told[] = [
  {
    script: "mkdir pkg; echo precious > pkg/out.json; (cd pkg && echo built) > out.json; pwd | grep -c pkg",
    stdout: "0\n",
    exitCode: 1,
    files: { "out.json": "built\n", "pkg/out.json": "precious\n" },
  },
  { script: "mkdir pkg; { cd pkg; echo two; } >> out; cat ../out", stdout: "two\n", files: { out: "two\n" } },
  {
    script: "mkdir pkg; f() { cd pkg; echo x >&2; }; f 2> err; cat ../err",
    stdout: "x\n",
    files: { err: "x\n" },
  },
  {
    script:
      "mkdir d; { cd d; echo a; echo b >&2; } &> a; cd ..; { cd d; echo c; echo d >&2; } &>> a; cd ..; { cd d; echo e; echo f >&2; } > b 2>&1; cd ..; { cd d; echo g; } >| c; cd ..; { cd d; echo h; } >& e",
    files: { a: "a\nb\nc\nd\n", b: "e\nf\n", c: "g\n", e: "h\n" },
  },
  {
    script:
      "mkdir d; if cd d; then echo a; fi > a; cd ..; for i in 1; do cd d; echo b; done > b; cd ..; while cd d; do echo c; break; done > c; cd ..; case x in x) cd d; echo d;; esac > e; cd ..; f() { cd d; echo f; } > f; f; cd ..; eval 'cd d; echo g' > g",
    files: { a: "a\n", b: "b\n", c: "c\n", e: "d\n", f: "f\n", g: "g\n" },
  },
  {
    script: "mkdir d; (cd d; (cd /; echo deep) > mid; cd /; echo top) > top; cd d > moved; echo in > in",
    files: { "d/in": "in\n", "d/mid": "deep\n", moved: "", top: "top\n" },
  },
  {
    script:
      'mkdir d; f=a; { f=b; cd d; echo x; } > $f; (cd ..; echo y) > "$f" | cat; exec 3> r; cd ..; echo z >&3',
    files: { a: "x\n", "d/b": "y\n", "d/r": "z\n" },
  },
];

/** `set -e` ends a script for what fails, but not in a condition, or on the left of `&&` and `||`, and all that these run. */
const errexit: readonly Told[] = [
  {
    script: "set -e; build() { echo b; false; }; build || echo cleanup; echo done",
    stdout: "b\ncleanup\ndone\n",
  },
  {
    script:
      "set -e; { test -f x; } || echo m2; (test -f nope) || echo m3; { test -f nope && echo x; } || echo m4; echo end",
    stdout: "m2\nm3\nm4\nend\n",
  },
  { script: "set -e; check() { false; echo still; }; check || echo no; echo end", stdout: "still\nend\n" },
  {
    script: "set -e; check() { false; echo still; }; check && echo yes; echo end",
    stdout: "still\nyes\nend\n",
  },
  {
    script:
      'set -euo pipefail; build() { echo building; false; }; build || { echo "build failed, cleaning up"; }; echo done',
    stdout: "building\nbuild failed, cleaning up\ndone\n",
  },
  {
    script:
      "set -e; trap_free() { grep -q x /dev/null; }; if ! trap_free; then echo none; fi; trap_free || true; echo done",
    stdout: "none\ndone\n",
  },
  {
    script:
      "set -e; (false) || true; echo a; { false; } || true; echo b; f() { false; }; f || true; echo c; ! f; echo d; f && true; echo e",
    stdout: "a\nb\nc\nd\ne\n",
  },
  { script: "set -e; { echo x > nodir/f; } || echo caught", stdout: "caught\n" },
  { script: "set -e; f() { false && true; }; f; echo after", exitCode: 1 },
  {
    script: "set -e; { false && true; }; echo after; (false && true); echo after2",
    stdout: "after\n",
    exitCode: 1,
  },
  {
    script:
      "set -e; f() { g; echo f; }; g() { false; echo g; }; f || echo no; f && echo yes; if f; then echo if; fi; while f; do break; done; until f; do echo u; break; done; ! f; echo $?; f; echo never",
    stdout: "g\nf\ng\nf\nyes\ng\nf\nif\ng\nf\ng\nf\ng\nf\n1\n",
    exitCode: 1,
  },
  {
    script: 'set -e; f() { false; echo in; }; x=$(f) || echo sub; echo "$x"; y=$(f); echo "[$y]"',
    stdout: "in\n[in]\n",
  },
  {
    script:
      "set -e; f() { false; }; f | cat; echo piped; set -o pipefail; f | cat || echo pf; f | cat; echo never",
    stdout: "piped\npf\n",
    exitCode: 1,
  },
  {
    script:
      'set -e; f() { (false; echo sub); echo "f $?"; }; f || echo x; (false; echo s2) || echo y; (set -e; false; echo s3) || echo z; echo end',
    stdout: "sub\nf 0\ns2\ns3\nend\n",
  },
  {
    script:
      'set -e; a() { return 3; }; a || echo "r $?"; b() { exit 4; }; (b) || echo "e $?"; b || echo never',
    stdout: "r 3\ne 4\n",
    exitCode: 4,
  },
  {
    script:
      "set -e; true && false || echo c; false || false && echo d || echo e; for i in 1 2; do false || continue; echo n; done; case x in x) false || echo k;; esac; [ 1 = 2 ] || [ 1 = 1 ]; [[ a = b ]] || echo l; (( 0 )) || echo m; let x=0 || echo n; echo o; (( 0 )); echo never",
    stdout: "c\ne\nk\nl\nm\nn\no\n",
    exitCode: 1,
  },
  {
    script: "set -e; f() { set +e; false; echo a; set -e; }; f || echo b; false; echo never",
    stdout: "a\n",
    exitCode: 1,
  },
  {
    script:
      "set -e; eval 'false; echo ev' || echo x; source <(echo 'false; echo sr') || echo y; command false || echo z; bash -c 'set -e; false; echo n' || echo \"s $?\"; echo end",
    stdout: "ev\nsr\nz\ns 1\nend\n",
  },
  {
    script:
      "set -e; echo a > nodir/x || echo caught; f() { cat nofile; echo after; }; f 2>/dev/null || echo no; cd nodir 2>/dev/null || echo nocd; export X=$(false); echo e1; local_() { local y=$(false); echo loc; }; local_; z=$(false); echo never",
    stdout: "caught\nafter\nnocd\ne1\nloc\n",
    exitCode: 1,
  },
  {
    script:
      "set -e; if false; then :; elif { false; true; }; then echo elif; fi; false || { false; echo never; }; echo never",
    stdout: "elif\n",
    exitCode: 1,
  },
  {
    script:
      "set -e; f() { false; echo f; return 1; }; if f; then echo y; else echo n; fi; f || { echo g; f; echo h; }; echo never",
    stdout: "f\nn\nf\ng\n",
    exitCode: 1,
  },
  { script: 'set -e; x=$(set +e; false; echo a); echo "$x"; false; echo never', stdout: "a\n", exitCode: 1 },
  {
    script:
      "set -e; f() { false && true; }; g() { f; echo g; }; g || echo no; eval 'false && true'; echo never",
    stdout: "g\n",
    exitCode: 1,
  },
  {
    script:
      "set -e; f() { [ -f nope ] && echo there; }; f || true; if true; then false && true; fi; for i in 1; do false && true; done; echo on; while false; do :; done; f; echo never",
    stdout: "on\n",
    exitCode: 1,
  },
];

/** Links and modes are kept, backups are made, and `wait` says how it went. */
const commands: readonly Told[] = [
  {
    script:
      "echo a > f; echo b > g; ln -s f l; cp g l; readlink l; cp l c; [ -L c ] || echo file; ln -s nowhere k; cp f k; echo $?; rm k",
    stdout: "f\nfile\n1\n",
    files: { c: "b\n", f: "b\n", g: "b\n" },
  },
  {
    script:
      "echo a > f; sed -i.bak s/a/b/ f; sed -i.orig -e s/b/c/ f; sed --in-place=.k s/c/d/ -- f; sed -ie s/d/e/ f; sed -n -i.z p f",
    files: { f: "e\n", "f.bak": "a\n", "f.k": "c\n", "f.orig": "b\n", "f.z": "e\n", fe: "d\n" },
  },
  {
    script:
      "echo x > s; chmod 755 s; echo y > p; chmod 600 p; mkdir -p d/e; chmod 700 d; ln -s p l; tar czf t s p l d; mkdir o; tar xzf t -C o 2> e; rm -r t e d s p l; stat -c '%a %n' o/s o/p o/d; readlink o/l",
    stdout: "755 o/s\n600 o/p\n700 o/d\np\n",
    files: { "o/p": "y\n", "o/s": "x\n" },
  },
  {
    script:
      "false & wait $!; echo $?; (exit 3) & p=$!; true & wait $!; echo $?; wait $p; echo $?; f() { return 4; }; f & if wait $!; then echo built; else echo failed; fi; wait; echo $?; wait 99999; echo $?",
    stdout: "1\n0\n3\nfailed\n0\n127\n",
  },
  {
    script:
      "set -e; x=1; { x=2; cd /; false; } & wait; echo $x; pwd | grep -c user; for i in 1 2; do echo $i > f$i & done; wait; false & wait $!; echo never",
    stdout: "1\n1\n",
    exitCode: 1,
    files: { f1: "1\n", f2: "2\n" },
  },
  { script: "ln -s nowhere l; ls l; ls; ls -l l > /dev/null; echo $?", stdout: "l\nl\n0\n" },
  {
    script:
      'env X=1 sh -c \'echo $X\'; env -u X Y="a b" bash -c \'printf "%s\\n" "$Y" "$1"; sh -c "echo \\$Y"\' me \'c d\'; echo in | env Z=2 sh -c \'cat; echo $Z\'; env A=1 false; echo $?$A$X$Y; env Q=1 printenv Q',
    stdout: "1\na b\nc d\na b\nin\n2\n1\n1\n",
  },
];

/** Registers the kit's stories for one driver. */
export function shellKit(driver: DriverUnderTest): void {
  const story = storyteller(driver, "shell");
  story("letters come out of a shell's variables as they went in", (sandbox) =>
    tell(sandbox, "letters", letters),
  );
  story("bytes that are no UTF-8 stay what they are", (sandbox) => tell(sandbox, "raw", raw));
  story("what a group prints goes where its redirect was opened", (sandbox) =>
    tell(sandbox, "redirects", redirects),
  );
  story("set -e ends a script where bash ends it", (sandbox) => tell(sandbox, "errexit", errexit));
  story("links and modes are kept, backups are made, and wait says how it went", (sandbox) =>
    tell(sandbox, "commands", commands),
  );
}

/** Runs scripts, each in a directory of its own. */
export async function tell(sandbox: Sandbox, about: string, scripts: readonly Told[]): Promise<void> {
  for (const [index, { script, stdout = "", exitCode = 0, files = {} }] of scripts.entries()) {
    const cwd = `/home/user/${about}-${index}`;
    await sandbox.mkdir(cwd);
    const result = await sandbox.exec(script, { cwd });
    const left = await filesIn(sandbox, cwd);
    expect({ stdout: result.stdout, exitCode: result.exitCode, files: left }, script).toEqual({
      stdout,
      exitCode,
      files,
    });
  }
}

async function filesIn(sandbox: Sandbox, directory: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const { name, type } of await sandbox.readdir(directory)) {
    const path = `${directory}/${name}`;
    if (type === "file") files[name] = shown(await sandbox.readFile(path));
    if (type !== "directory") continue;
    for (const [below, content] of Object.entries(await filesIn(sandbox, path)))
      files[`${name}/${below}`] = content;
  }
  return files;
}

function shown(content: Uint8Array): string {
  return Buffer.from(content)
    .toString("latin1")
    .replace(/[^\n\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
