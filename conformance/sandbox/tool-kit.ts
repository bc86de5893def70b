/**
 * What commands and their options do that scripts are made of, on every `SandboxDriver`: each script with what it prints and leaves behind where bash runs it.
 * Call it in a test file: it registers stories with vitest.
 */
import { type DriverUnderTest, storyteller } from "./drivers.ts";
import { type Told, tell } from "./shell-kit.ts";

const table: readonly Told[] = [
  {
    script: `f() { local A=1; echo $A; }; A=x; f; echo $A; unset A; echo "[\${A-gone}]"; f() { local A=2; unset A; echo "[\${A-gone}]"; }; A=9; f; echo $A; f() { local A=3; g; echo $A; }; g() { local A=4; }; f; unset A; echo "[\${A-gone}]"`,
    stdout: "1\nx\n[gone]\n[gone]\n9\n3\n[gone]\n",
  },
  {
    script: `x=$(printf 'a\\0b\\0' 2> /dev/null) 2> /dev/null; echo \${#x} "$x"; printf 'c\\0d' > f; y=$(< f); z=$(cat f); echo "$y" "$z" > g`,
    stdout: "2 ab\n",
    files: { f: "c\\x00d", g: "cd cd\n" },
  },
  {
    script: `printf 'one\\xc3two\\xc3' > f; while IFS= read -r -d é x; do echo "[$x]"; done < f`,
    stdout: "[one]\n[two]\n",
    files: { f: "one\\xc3two\\xc3" },
  },
  {
    script:
      "source /dev/stdin <<< 'x=5; echo hi'; echo $x; echo 'echo piped' | source /dev/stdin; echo 'echo b $1' | bash /dev/stdin c",
    stdout: "hi\n5\npiped\nb c\n",
  },
  {
    script:
      "echo 'echo a; false; echo b' > s.sh; bash -e s.sh; echo $?; sh -e ./s.sh; echo $?; sh -ec 'false; echo no'; echo $?; bash -euo pipefail -c 'false | true; echo no'; echo $?; bash -u -c 'echo $1 $0' me one; bash -s a b <<< 'echo $1 $2'; bash -o pipefail -c 'false | true'; echo $?; bash -lc 'echo $0 $1' n m; bash --norc -c 'echo n'; bash +e -c 'false; echo yes'; bash -ec 'exit 7'; echo $?",
    stdout: "a\n1\na\n1\n1\n1\none me\na b\n1\nn m\nn\nyes\n7\n",
    files: { "s.sh": "echo a; false; echo b\n" },
  },
  {
    script: `printf '#!/bin/bash -e\\necho a; false; echo b\\n' > s; printf '#!/usr/bin/env bash\\nset -eu\\necho "$1"\\nfalse\\necho no\\n' > t; chmod +x s t; ./s; echo $?; ./t arg; echo $?`,
    stdout: "a\n1\narg\n1\n",
    files: {
      s: "#!/bin/bash -e\necho a; false; echo b\n",
      t: '#!/usr/bin/env bash\nset -eu\necho "$1"\nfalse\necho no\n',
    },
  },
  {
    script: `printf 'p 1\\nq 2\\n' > in; awk '{print > $1".txt"}' in; awk '{printf "%s\\n", $2 > "d-" $1}' in; awk '{print >> $1 ".txt"}' in; awk '{print "x" > "nodir/" $1}' in 2> /dev/null || echo no`,
    stdout: "no\n",
    files: { "d-p": "1\n", "d-q": "2\n", in: "p 1\nq 2\n", "p.txt": "p 1\np 1\n", "q.txt": "q 2\nq 2\n" },
  },
  {
    script:
      "mkdir d; ln -s d l; ln -s t l; readlink d/t; ln -s a b c l; echo x > f; ln f d; ln -sfn f l; readlink l; ln -sf f l; ln -s d/f; readlink f2 || cat f; ln -s a b nowhere 2> /dev/null || echo no",
    stdout: "t\nf\nx\nno\n",
    files: { "d/f": "x\n", f: "x\n" },
  },
  {
    script:
      "mkdir -p a/b/c x/y/z; touch a/f; find . -depth -type d -empty -delete; find . | sort; mkdir -p q/r; find q -type d -empty -delete; ls",
    stdout: ".\n./a\n./a/f\na\n",
    files: { "a/f": "" },
  },
  {
    script:
      "touch a b; mkdir d; touch d/x; ls a b; ls a d; ls b d a; ls *; ls -d d a; ls nope 2> /dev/null || echo $?",
    stdout: "a\nb\na\n\nd:\nx\na\nb\n\nd:\nx\na\nb\n\nd:\nx\na\nd\n2\n",
    files: { a: "", b: "", "d/x": "" },
  },
  {
    script:
      "echo a > a; chmod 755 a; mkdir d; chmod 700 d; echo abc > b; chmod 640 b; ln -s a l; ls -l a b d l | awk 'NF > 2 {print $1, $5, $9, $10, $11}'; ls -ld d | cut -c1-10; ls -F; ls -A d | wc -l; ls -R; mkdir -p d/e; ls -R d",
    stdout:
      "-rwxr-xr-x 2 a  \n-rw-r----- 4 b  \nlrwxrwxrwx 1 l -> a\ndrwx------\na*\nb\nd/\nl@\n0\n.:\na\nb\nd\nl\n\n./d:\nd:\ne\n\nd/e:\n",
    files: { a: "a\n", b: "abc\n" },
  },
  {
    script:
      "echo abc > f; chmod 750 f; ln -s f l; mkdir d; stat -c '%h %a %s %n %F %A' f d l | sed 's/^[0-9]* //; s/^\\(7..\\) [0-9]* \\(d\\|l\\)/\\1 \\2/'; stat -c %Y f | grep -c '^[0-9][0-9]*$'; stat --format=%s f; stat --printf '%s:%%\\n' f; stat -Lc %s l; stat -c %N l; touch e; stat -c %F e; stat -c %s nope 2> /dev/null || echo $?",
    stdout:
      "750 4 f regular file -rwxr-x---\n755 d directory drwxr-xr-x\n777 l symbolic link lrwxrwxrwx\n1\n4\n4:%\n4\n'l' -> 'f'\nregular empty file\n1\n",
    files: { e: "", f: "abc\n" },
  },
  {
    script:
      "mkdir d; echo x > f; for c in 'cat d' 'cat f/x' 'cat nope' 'sort f/x' 'head f/x' 'chmod 644 f/x' 'chmod 644 nope' 'tee d' 'touch f/x' 'wc f/x'; do echo | $c 2>&1 > /dev/null | sed 's/.*: //'; done",
    stdout:
      "Is a directory\nNot a directory\nNo such file or directory\nNot a directory\nNot a directory\nNot a directory\nNo such file or directory\nIs a directory\nNot a directory\nNot a directory\n",
    files: { f: "x\n" },
  },
  {
    script:
      "shopt -s nullglob; set -u; readonly R=1; declare -i N; export E=1; exec 5> f; f() { :; }; set -- a b; echo $#",
    stdout: "2\n",
    files: { f: "" },
  },
  {
    script: `echo nope* "[$undefined]"; R=2; N=1+1; echo $R $N $#; E=2; sh -c 'echo "[$E]"'; { echo x >&5; } 2> /dev/null || echo closed; type f 2> /dev/null || echo none`,
    stdout: "nope* []\n2 1+1 0\n[]\nclosed\nnone\n",
  },
  {
    script:
      "x=$(shopt -s nullglob; readonly Z=1; declare -i Y; g() { :; }; set -f); bash -c 'readonly Z=1; declare -i Y; shopt -s nullglob'; (shopt -s nullglob; readonly Z=1); echo q*; Z=2; Y=1+1; echo $Z $Y; g 2> /dev/null || echo none; touch z; echo *",
    stdout: "q*\n2 1+1\nnone\nz\n",
    files: { z: "" },
  },
  {
    script: `export E=1; F=2; sh -c 'echo $E $F; sh -c "echo \\$E \\$F"; export G=3; sh -c "echo \\$G"'; sh -c 'sh -c "echo [\\$1] [\\$2]" a b' n c d; export -n E; sh -c 'echo [$E]'; x=$(export Q=1; sh -c 'echo $Q'); echo $x $Q`,
    stdout: "1\n1\n3\n[b] []\n[]\n1\n",
  },
  {
    script: `c='printf %s.'; $c 'a b' c; echo; c='echo a'; $c b; e=; $e $c; $(echo echo x) y; "$c" 2> /dev/null || echo $?; c='exit 3'; ($c); echo $?; f() { v='local a=1'; $v; echo $a; }; f; echo "[$a]"; touch z; c='echo *'; $c`,
    stdout: "a b.c.\na b\na\nx y\n127\n3\n1\n[]\nz\n",
    files: { z: "" },
  },
  {
    script:
      'mkdir d e .h; touch z d/f e/g; ln -s d l; ln -s nowhere k; echo */ ; echo ./*/ ; echo .h*/ no*/ ; echo */* ; mkdir d/i; touch d/i/j; echo l/* l/i/* l/*/j d/*/ ; for x in */; do echo "$x"; done',
    stdout: "d/ e/ l/\n./d/ ./e/ ./l/\n.h/ no*/\nd/f e/g l/f\nl/f l/i l/i/j l/i/j d/i/\nd/\ne/\nl/\n",
    files: { "d/f": "", "d/i/j": "", "e/g": "", z: "" },
  },
  {
    script:
      "mkdir d; echo x > d/x; chmod 700 d/x; ln -s d l; ln -s x d/c; ls l/x l/c; ls -l l/x | cut -c1-10; stat -c '%a %N' l/c; readlink l/c; cat l/c",
    stdout: "l/c\nl/x\n-rwx------\n777 'l/c' -> 'x'\nx\nx\n",
    files: { "d/x": "x\n" },
  },
];

/** Registers the kit's stories for one driver. */
export function toolKit(driver: DriverUnderTest): void {
  const story = storyteller(driver, "tools");
  story("commands and their options do what scripts take them for", (sandbox) =>
    tell(sandbox, "tools", table),
  );
}
