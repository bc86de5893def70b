/** One TypeScript file, parsed: its imports, comments and tree. */
import { type Comment, parseSync } from "oxc-parser";
import { child, descend, isNode, type Node, word } from "./syntax.ts";

export interface Import {
  readonly specifier: string;
  /** True when nothing of it is left at run time. */
  readonly typeOnly: boolean;
  /** True for `import(…)`, which runs later and so can't close a cycle. */
  readonly dynamic: boolean;
  readonly line: number;
}

export class SourceModule {
  readonly path: string;
  readonly text: string;
  readonly tree: Node;
  readonly comments: readonly Comment[];
  readonly imports: readonly Import[];
  /** Why it could not be parsed; then its tree is empty, and `checks/syntax.ts` says so. */
  readonly broken: string | undefined;
  readonly #lineStarts: readonly number[];

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
    const parsed = parseSync(path, text);
    const program: unknown = parsed.program;
    if (!isNode(program)) throw new Error(`${path}: the parser gave no tree`);
    this.broken = parsed.errors.find((found) => found.severity === "Error")?.message;
    this.tree = program;
    this.comments = parsed.comments;
    this.#lineStarts = lineStarts(text);
    this.imports = [...descend(program)].flatMap((node) => this.#importOf(node) ?? []);
  }

  /** The number of lines; a newline at the end doesn't open another. */
  get lines(): number {
    return this.#lineStarts.length - (this.text.endsWith("\n") ? 1 : 0);
  }

  /** The line, from 1, that holds the character at `offset`. */
  lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }

  /** `path:line` of a node, for a problem. */
  at(place: { readonly start: number }): string {
    return `${this.path}:${this.lineOf(place.start)}`;
  }

  #importOf(node: Node): Import | undefined {
    const source = child(node, "source");
    const specifier = source === undefined ? undefined : word(source, "value");
    if (specifier === undefined) return undefined;
    const line = this.lineOf(node.start);
    switch (node.type) {
      case "ImportDeclaration":
        return { specifier, typeOnly: node.importKind === "type", dynamic: false, line };
      case "ExportNamedDeclaration":
      case "ExportAllDeclaration":
        return { specifier, typeOnly: node.exportKind === "type", dynamic: false, line };
      case "ImportExpression":
        return { specifier, typeOnly: false, dynamic: true, line };
      case "TSImportType":
        return { specifier, typeOnly: true, dynamic: true, line };
      default:
        return undefined;
    }
  }
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
