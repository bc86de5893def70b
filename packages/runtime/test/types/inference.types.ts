import { actor } from "@troupe/runtime";
export const a = actor({ createState: (c) => ({ n: c.key.length }), actions: { f: (c) => c.state.n } });
export const b = actor({ createVars: (c) => ({ n: 1 }), actions: { f: (c) => c.vars.n } });
export const d = actor({ state: { n: 1 }, createConnState: () => ({ n: 1 }), actions: { f: (c) => c.conn.state.n } });
export const e = actor({ state: { n: 1 }, createConnState: (c) => ({ n: 1 }), actions: { f: (c) => c.conn.state.n } });
export const f = actor({ state: { n: 1 }, createConnState: (c, p: { x: number }) => ({ n: p.x }), actions: { f: (c) => c.conn.state.n + c.conn.params.x } });
export const g = actor({ state: { n: 1 }, createConnState: (c, p: { x: number }) => ({ n: p.x }), onConnect: (c, conn) => { conn.state.n++; c.conns.size; } });
export const h = actor({ state: { n: 1 }, createConnState: (c, p: { x: number }) => ({ n: p.x }), actions: { f(c, z: string) { return c.conn.state.n + c.conn.params.x; } } });
