/**
 * What `$?` is, and what ends a script, on every `SandboxDriver`: each script with what bash prints and its exit code.
 * Call it in a test file: it registers stories with vitest.
 */
import { expect } from "vitest";
import { type DriverUnderTest, storyteller } from "./drivers.ts";

/** A script, its stdout, and its exit code where that isn't 0. */
type Ended = readonly [script: string, stdout: string, exitCode?: number];

const table: readonly Ended[] = [
  [
    `run() { "$@"; }; run echo r; if run test -n x; then echo yes; fi; out=$(run echo "a  b"); echo "$out"; cmd=(echo q "w  x"); "\${cmd[@]}"; f() { false; "$@"; echo $?; }; f`,
    "r\nyes\na  b\nq w  x\n0\n",
  ],
  [
    `set -eu; echo "\${V:-d}"; [ -z "\${CI:-}" ]; f() { echo "\${1:-none}"; }; f; f a; : "\${W:=w}"; echo "$W\${1-}\${CI:+yes}"; echo "$NEVER"; echo never`,
    "d\nnone\na\nw\n",
    1,
  ],
  [
    'x=$(echo $#); echo "one $x"; y=$(echo 1#2 a/#b v1.#x # a comment\n); echo "$y"; echo "$(echo v1.#x)" "$(echo $#)" "$(printf %s "a #b")"; f() { z=$(echo $#); echo $z; }; f 1 2; (echo $#)',
    "one 0\n1#2 a/#b v1.#x\nv1.#x 0 a #b\n2\n0\n",
  ],
  [
    '"" ; echo $?; e=; "$e" ; echo $?; $e; echo $?; c="echo hi"; "$c"; echo $?; $c; "echo" "$c"; e"ch"o k',
    "127\n127\n0\n127\nhi\necho hi\nk\n",
  ],
  ["false; x=1; echo $?", "0\n"],
  ["set -e; v=$(false) || v=default; echo $v", "default\n"],
  [
    "x=$(false); echo $?; x=$(false) y=1; echo $?; x=1 y=$(false); echo $?; x=$(false) y=$(true); echo $?",
    "1\n1\n1\n0\n",
  ],
  [
    "false; a=(1 2); echo $?; false; a+=(3); echo $?; false; a[5]=$(false); echo $?; false; x+=y; echo $?; a=($(false)); echo $?; false; a=(); echo $?",
    "0\n0\n1\n0\n1\n0\n",
  ],
  [
    "f() { local x=$(false); echo $?; local y; y=$(false); echo $?; }; f; readonly R=$(false); echo $?; export E=$(false); echo $?; declare D=$(false); echo $?; false; local_=; echo $?",
    "0\n1\n0\n0\n0\n0\n",
  ],
  [
    `false; x=$y; echo $?; false; x=$((1+1)); echo $?; false; x=\${y:-z}; echo $?; false; x=\`true\`; echo $?; x=\`false\`; echo $?; x=\${y:-$(false)}; echo $?; x="a$(exit 3)b"; echo $? $x`,
    "0\n0\n0\n0\n1\n1\n3 ab\n",
  ],
  [
    "out=$(false) || rc=$?; echo $? $rc; false; $none; echo $?; false; $(true); echo $?; true; $(false); echo $?; false; > f; echo $?; x=$(false) > f; echo $?",
    "0 1\n0\n0\n1\n0\n1\n",
  ],
  [
    "if y=$(false) || y=z; then echo yes; else echo no; fi; y=$(false) || y=2 && echo and; y=$(exit 4) && echo never; echo $?; cd nowhere 2> /dev/null || root=. && echo $root",
    "yes\nand\n4\n.\n",
  ],
  [
    "grep -q nothing /dev/null; count=0; if [ $? -eq 0 ]; then echo zero; fi; f() { false || r=1; }; if f; then echo ok; fi",
    "zero\nok\n",
  ],
  [
    'set -e; t=$(command -v nosuch) || t=; v=$(cat VERSION 2> /dev/null || echo 0.0.0); n=$(grep -c x /dev/null) || true; echo "[$t] $v $n"; x=$(false); echo never',
    "[] 0.0.0 0\n",
    1,
  ],
  [
    'set -e; f() { local v; v=$(false) || v=dflt; echo $v; }; f; v=$(f); echo "$v"; x=$(true; false); echo never',
    "dflt\ndflt\n",
    1,
  ],
  [
    "set -e; false || x=1; (exit 3) || x=2; echo $x; x=$(false) y=1 || echo or; x=1 y=$(false); echo never",
    "2\nor\n",
    1,
  ],
  [
    "for i in a b; do [ $i = b ] && break; done; echo $?; for i in a b; do [ $i = a ] && continue; false || continue; done; echo $?; for i in a; do false; done; echo $?",
    "0\n0\n1\n",
  ],
  [
    "while :; do false || break; done; echo $?; until false; do false || break; done; echo $?; for ((i = 0; i < 2; i++)); do false || break; done; echo $?; for ((i = 0; i < 2; i++)); do false || continue; done; echo $?",
    "0\n0\n0\n0\n",
  ],
  [
    "for i in 1 2; do for j in 1 2; do false || break 2; done; echo never; done; echo $?; for i in 1 2; do for j in 1 2; do false || continue 2; done; echo never; done; echo $?",
    "0\n0\n",
  ],
  ["set -e; for i in a b; do [ $i = b ] && break; done; echo end", "end\n"],
  ["set -e; for i in a b c; do [ $i = b ] && echo found; done; echo end", "found\nend\n"],
  ["set -e; for i in a b c; do [ $i = b ] && { echo found; break; }; done; echo end", "found\nend\n"],
  ["set -e; for i in a b c; do [ $i = b ] && continue; echo $i; done; echo end", "a\nc\nend\n"],
  [
    "set -e; for ((i = 0; i < 3; i++)); do ((i == 1)) && break; done; echo $i; for i in 1 2; do [[ $i == 2 ]] && break; done; echo end",
    "1\nend\n",
  ],
  [
    "set -e; printf 'a\\nb\\nc\\n' > f; while read l; do [ \"$l\" = b ] && echo found; done < f; echo end",
    "found\nend\n",
  ],
  [
    "set -e; while read -r l; do [ \"$l\" = b ] && echo found; done <<< $'a\\nb\\nc'; echo end",
    "found\nend\n",
  ],
  [
    "set -e; printf 'a\\nb\\n' | while read l; do [ \"$l\" = a ] && echo found; done; echo never",
    "found\n",
    1,
  ],
  ["set -e; n=0; while [ $n -lt 3 ]; do n=$((n+1)); [ $n = 2 ] && echo two; done; echo end", "two\nend\n"],
  ["set -e; n=0; until [ $n = 3 ]; do n=$((n+1)); [ $n = 1 ] && echo one; done; echo end", "one\nend\n"],
  ["set -e; while :; do n=$((n+1)); [ $n -ge 3 ] && break; done; echo end $n", "end 3\n"],
  [
    "set -e; printf 'k=v\\n#c\\nx\\n' > cfg; while IFS='=' read -r k v; do [[ $k = \\#* ]] && continue; [ -n \"$v\" ] && echo \"$k -> $v\"; done < cfg; echo end",
    "k -> v\nend\n",
  ],
  [
    "set -e; while false || false; do :; done; until true && true; do :; done; while ! true; do :; done; echo end; while true; do false; echo never; done",
    "end\n",
    1,
  ],
  ["set -e; for i in 1 2; do echo $i; false; echo never; done", "1\n", 1],
  [
    "set -e; for i in 1 2; do for j in 1 2; do [ $j = 2 ] && break 2; done; done; for i in 1; do while :; do break; done; [ $i = 2 ] && echo no; done; echo end",
    "end\n",
  ],
  [
    "set -e; f() { for i in 1 2; do [ $i = 3 ] && return 0; done; }; f || echo f $?; f; echo never",
    "f 1\n",
    1,
  ],
  [
    "set -e; f() { while read l; do [ \"$l\" = b ] && return 0; done <<< $'a\\nb'; return 1; }; f; echo found; f && echo again",
    "found\nagain\n",
  ],
  [
    "set -e; f() { return 3; }; for i in 1; do f || break; done; echo $?; if f; then :; else echo $?; fi; f || echo $?; ! f; echo $?; f; echo never",
    "0\n3\n3\n0\n",
    3,
  ],
  [
    'set -e; case x in x) false && true;; esac; echo on; case x in y) :;; esac; case x in x) false || true;; esac; case $(false) in "") echo empty;; esac; case x in x) false;; esac; echo never',
    "on\nempty\n",
    1,
  ],
  [
    "set -e; ((0)) || echo a; ((1)) && echo b; if ((0)); then :; fi; while ((0)); do :; done; i=1; ((i++)); echo $i; ((i-=2)); echo never",
    "a\nb\n2\n",
    1,
  ],
  [
    "set -e; [[ a = b ]] || echo a; [[ a = b ]] && echo no; ! [[ a = a ]]; if [[ a = b ]]; then :; fi; echo on; [[ a = b ]]; echo never",
    "a\non\n",
    1,
  ],
  [
    "set -e; ! true; echo a; ! false; ! { false; }; ! (true); echo b; if ! false; then echo c; fi; ! false && false; echo never",
    "a\nb\nc\n",
    1,
  ],
  [
    "set -e; false | true; echo a; true | { false && true; } || echo b; true | false; echo never",
    "a\nb\n",
    1,
  ],
  [
    "set -eo pipefail; false | true || echo a; if false | true; then :; else echo b; fi; ! false | true; echo c; x=$(false | cat) || echo d; false | true; echo never",
    "a\nb\nc\nd\n",
    1,
  ],
  ["set -eo pipefail; f() { false | cat; echo f; }; f || echo no; f; echo never", "f\n", 1],
  [
    "set -e; { false && true; }; echo a; { { false && true; }; }; echo b; (false && true); echo never",
    "a\nb\n",
    1,
  ],
  [
    "set -e; if true; then false && true; fi; echo a; if false; then :; elif true; then { false && true; }; fi; echo b; if true; then (false && true); fi; echo never",
    "a\nb\n",
    1,
  ],
  ["set -e; f() { false && true; }; { f; } || echo a; f; echo never", "a\n", 1],
  [
    "set -e; f() { false && true; :; }; f; echo a; f() { if false; then :; fi; }; f; echo b; f() { for i in; do false; done; }; f; echo c; f() { false; :; }; f; echo never",
    "a\nb\nc\n",
    1,
  ],
  [
    "set -e; f() { return; }; false || f && echo a; g() { false || return; }; g && echo no; echo b; g; echo never",
    "b\n",
    1,
  ],
  [
    'set -e; f() { if [ "$1" = x ]; then return 0; fi; return 1; }; if f x; then echo x; fi; if f y; then :; else echo y; fi; while f y; do :; done; until f x; do :; done; f x && f y || echo z; f y; echo never',
    "x\ny\nz\n",
    1,
  ],
  [
    "set -e; (false; echo never) || echo a $?; (set +e; false; echo b); (exit 0); (exit 5); echo never",
    "never\nb\n",
    5,
  ],
  [
    'set -e; x=$( (false; echo never); echo a); echo "$x"; echo $(false; echo b); echo "$(false)" c; y="$(exit 3)"; echo never',
    "never\na\nb\n c\n",
    3,
  ],
  [
    "set -e; { echo x; } > nodir/f || echo a; for i in 1; do :; done > nodir/f || echo b; if true; then :; fi > nodir/f; echo never",
    "a\nb\n",
    1,
  ],
  [
    "set -e; while read l; do :; done < missing || echo a; { false && true; } > f; echo b; { cat; } < missing; echo never",
    "a\nb\n",
    1,
  ],
  [
    "set -e; { { echo x; } > nodir/f && echo no; }; echo a; f() { echo x > nodir/f; echo f; }; f || echo no; f; echo never",
    "a\nf\n",
    1,
  ],
  [
    "set -e; true && false || true && echo a; false && false; false || false || true; true && { false || true; }; false && true || echo b; true && false; echo never",
    "a\nb\n",
    1,
  ],
  ["set -e; eval 'false && true'; echo never", "", 1],
  [
    "set -e; eval 'for i in 1 2; do [ $i = 1 ] && echo $i; done'; echo a; echo '[ x = y ] && echo no; :' > lib; . ./lib; echo b; echo '[ x = y ] && echo no' > lib; . ./lib; echo never",
    "1\n",
    1,
  ],
  [
    `set -e; arr=(a b c); for i in "\${arr[@]}"; do [ "$i" = b ] && hit=$i; done; echo $hit; [ -n "$hit" ] && for i in 1; do false || :; done; echo end`,
    "b\nend\n",
  ],
  [
    "set -e; test -d /nowhere && echo no; command -v nosuch > /dev/null && echo no; type nosuch > /dev/null 2>&1 || echo a; command false || echo b; command false; echo never",
    "a\nb\n",
    1,
  ],
  [
    'set -u; f() { echo "[$undefined]"; }; (f) || echo a; x=$(f) || echo b; f | cat; echo c; (echo $undefined; echo no) || echo d; (f || echo no); echo $?',
    "a\nb\nc\nd\n1\n",
  ],
  ['set -eu; f() { echo "[$undefined]"; }; f || echo no; echo never', "", 1],
  ["set -eu; { echo $undefined; } || echo no; echo never", "", 1],
  ['set -eu; if [ "$undefined" ]; then echo no; fi || echo no; echo never', "", 1],
  [
    `set -eu; for i in 1 2; do echo "\${i:-} \${undefined:-d} \${undefined-e} \${undefined+f}"; done; a=(); echo \${#a[@]} "\${a[@]}"; while echo $undefined; do echo no; done; echo never`,
    "1 d e \n2 d e \n0\n",
    1,
  ],
  ["set -eu; (eval 'echo $undefined'; echo no) || echo a; echo end", "a\nend\n"],
  [
    `(echo \${undefined?gone}; echo no) || echo a $?; f() { echo \${undefined:?gone}; echo no; }; (f || echo no); echo b $?; set -e; f || echo no; echo never`,
    "a 1\nb 1\n",
    1,
  ],
  [
    "(echo $((1/0)); echo no) || echo a $?; ((1/0)) || echo b $?; let x=1/0 || echo c $?; f() { echo $((1/0)); echo no; }; (f || echo no); echo d $?; f || echo no; echo never",
    "a 1\nb 1\nc 1\nd 1\n",
    1,
  ],
  ["echo $((08)) || echo no; echo never", "", 1],
  ["for i in 1 2; do x=$((08 + i)); echo no; done; echo never", "", 1],
  [
    'set -e; shopt -s inherit_errexit; x=$(false; echo a) || echo no; echo "$x"; shopt -q inherit_errexit && echo on; x=$(false; echo b); echo never',
    "a\non\n",
    1,
  ],
  [
    'shopt -s inherit_errexit; set -e; f() { echo "$(false; echo a)"; }; f; shopt -u inherit_errexit; f',
    "\na\n",
  ],
  [
    'set -e; if x=$(false); then echo no; else echo $?; fi; if ! x=$(true); then echo no; fi; while x=$(false); do :; done; x=$(false) && echo no; [ "$(false)" ] || echo a; echo end',
    "1\na\nend\n",
  ],
];

/** Registers the kit's stories for one driver. */
export function statusKit(driver: DriverUnderTest): void {
  const story = storyteller(driver, "status");
  story("a script goes on and ends where bash goes on and ends", async (sandbox) => {
    for (const [index, [script, stdout, exitCode = 0]] of table.entries()) {
      const cwd = `/home/user/status-${index}`;
      await sandbox.mkdir(cwd);
      const result = await sandbox.exec(script, { cwd });
      expect({ stdout: result.stdout, exitCode: result.exitCode }, script).toEqual({ stdout, exitCode });
    }
  });
}
