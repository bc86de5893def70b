/**
 * What scripts leave behind, on every `SandboxDriver`, as bash does it: where a shell of our own differs without a word, files are wrong and nobody knows.
 * Call it in a test file: it registers stories with vitest.
 */
import { expect } from "vitest";
import type { Sandbox } from "../../packages/agent-os/src/index.ts";
import { type DriverUnderTest, storyteller } from "./drivers.ts";

/** A script, and what there is behind it: each file's bytes, of those that are no ASCII each as `\xff`. */
interface Told {
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
    files: { f: "Zo\\xc3\\xab\n" },
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

/** Registers the kit's stories for one driver. */
export function shellKit(driver: DriverUnderTest): void {
  const story = storyteller(driver, "shell");
  story("letters come out of a shell's variables as they went in", (sandbox) => tell(sandbox, letters));
  story("bytes that are no UTF-8 stay what they are", (sandbox) => tell(sandbox, raw));
}

async function tell(sandbox: Sandbox, scripts: readonly Told[]): Promise<void> {
  for (const [index, { script, stdout = "", exitCode = 0, files = {} }] of scripts.entries()) {
    const cwd = `/home/user/${index}`;
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
  const entries = await sandbox.readdir(directory);
  const files = entries.filter(({ type }) => type === "file");
  const read = files.map(
    async ({ name }) => [name, shown(await sandbox.readFile(`${directory}/${name}`))] as const,
  );
  return Object.fromEntries(await Promise.all(read));
}

function shown(content: Uint8Array): string {
  return Buffer.from(content)
    .toString("latin1")
    .replace(/[^\n\x20-\x7e]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
