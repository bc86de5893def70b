/**
 * A trace as a page: one file that opens by itself, without a server and without anything of the network. The tree is made of
 * `<details>`, so that it works without a script too; what came out of a trace is text, whatever it looks like.
 */
import { PageBudget } from "./page-budget.ts";
import { sessionsOf, spanOf, type Trace, type TraceNode } from "./read-trace.ts";
import { describeEvents, describeSession, duration, shortValue } from "./show-trace.ts";

/** More of one value is cut. */
const VALUE_LENGTH = 20_000;

/** The whole page. Where there is more than one session, each has a part of its own, with its own time. */
export function tracePage(trace: Trace, title: string): string {
  const { began, ended } = spanOf(trace.roots);
  const budget = new PageBudget();
  const sessions = sessionsOf(trace);
  const main = sessions
    .map((session) => {
      const head = sessions.length < 2 ? "" : `<h2>${escaped(describeSession(session))}</h2>`;
      return `<section>${head}${treeOf(session.roots, budget)}</section>`;
    })
    .join("\n");
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escaped(title)}</title>
<style>${style}</style>
<header><h1>${escaped(title)}</h1><p>${describeEvents(trace)}, ${duration(ended - began)}${budget.leftOut()}</p></header>
<main>${main}</main>
</html>
`;
}

function treeOf(roots: readonly TraceNode[], budget: PageBudget): string {
  const { began, ended } = spanOf(roots);
  const place = { began, span: Math.max(ended - began, 0.001), budget };
  return roots.map((root) => nodeOf(root, place)).join("\n");
}

interface Place {
  readonly began: number;
  readonly span: number;
  readonly budget: PageBudget;
}

function nodeOf(node: TraceNode, place: Place): string {
  const { children, error, kind } = node;
  const head = `<summary class="${kind}${error === undefined ? "" : " error"}">${headOf(node, place)}</summary>`;
  const summary = place.budget.node(head);
  if (summary === undefined) return children.map((child) => nodeOf(child, place)).join("");
  const values = [told("in", node.input), told("out", node.output)]
    .map((it) => place.budget.value(it))
    .join("");
  if (children.length === 0) return `<details>${summary}${values}</details>`;
  // What was said would push what happened below it out of sight.
  const folded =
    values === "" ? "" : `<details><summary class="said">in and out</summary>${values}</details>`;
  return `<details open>${summary}${folded}${children.map((child) => nodeOf(child, place)).join("")}</details>`;
}

function headOf(node: TraceNode, { began, span }: Place): string {
  const { name, category, tookMs, facts, error, beganAt, kind } = node;
  const left = (((beganAt - began) / span) * 100).toFixed(2);
  const width = (((tookMs ?? 0) / span) * 100).toFixed(2);
  const time = kind === "mark" ? "" : tookMs === undefined ? "has no end" : duration(tookMs);
  return [
    `<b>${escaped(name)}</b>`,
    category === undefined ? "" : `<i>${escaped(category)}</i>`,
    ...facts.map((fact) => `<span>${escaped(fact)}</span>`),
    kind === "mark" && error === undefined && facts.length === 0
      ? `<span class="short">${escaped(shortValue(node.input))}</span>`
      : "",
    error === undefined ? "" : `<em>${escaped(error)}</em>`,
    `<time>${time}</time>`,
    `<u><s style="left:${left}%;width:max(2px,${width}%)"></s></u>`,
  ].join(" ");
}

function told(label: string, value: unknown): string {
  if (value === null || value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const shown =
    text.length > VALUE_LENGTH ? `${text.slice(0, VALUE_LENGTH)}\n… ${text.length} characters in all` : text;
  return `<pre data-label="${label}">${escaped(shown)}</pre>`;
}

function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const style = `
:root { color-scheme: light dark; --line: #8883; --dim: light-dark(#666, #9a9a9a); --bar: #4a7fd6; --bad: light-dark(#c0392b, #ff7b6b); }
body { font: 14px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 70rem; padding: 1.5rem; }
h1 { font-size: 1.1rem; margin: 0; overflow-wrap: anywhere; } header p { color: var(--dim); margin: 0 0 1.5rem; }
h2 { border-bottom: 1px solid var(--line); font-size: .95rem; margin: 1.5rem 0 .5rem; overflow-wrap: anywhere; padding-bottom: .3rem; }
details details { border-left: 1px solid var(--line); margin-left: .45rem; padding-left: .9rem; }
summary { align-items: baseline; cursor: pointer; display: flex; gap: .75rem; padding: .15rem 0; }
summary::before { color: var(--dim); content: "▸"; flex: 0 0 .5rem; margin-right: -.35rem; } details[open] > summary::before { content: "▾"; }
summary.said { color: var(--dim); } summary .short { overflow: hidden; text-overflow: ellipsis; }
summary b { font-weight: 600; } summary.mark b { font-weight: 400; } summary.mark b::before { content: "• "; color: var(--dim); }
summary i, summary span { color: var(--dim); font-style: normal; white-space: nowrap; }
summary em, summary.error b { color: var(--bad); font-style: normal; }
summary time { color: var(--dim); font-variant-numeric: tabular-nums; margin-left: auto; white-space: nowrap; }
summary u { background: var(--line); border-radius: 2px; flex: 0 0 9rem; height: 4px; position: relative; align-self: start; margin-top: .6rem; }
summary s { background: var(--bar); border-radius: 2px; height: 4px; position: absolute; }
summary.error s { background: var(--bad); }
pre { background: #8881; border-radius: 6px; font: 12px/1.5 ui-monospace, monospace; margin: .3rem 0 .6rem .9rem; max-height: 24rem; overflow: auto; padding: .6rem .8rem; white-space: pre-wrap; overflow-wrap: anywhere; }
pre::before { color: var(--dim); content: attr(data-label) "\\a"; }
`;
