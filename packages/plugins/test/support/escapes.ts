/** What hostile sources try: the corpus, for each way in which an isolate is entered. */

/** Attempts that find nothing: each expression must give `finds`. */
export const attempts: readonly (readonly [what: string, expression: string, finds: unknown])[] = [
  ["process", "typeof process", "undefined"],
  [
    "require and module",
    "[typeof require, typeof module, typeof __filename]",
    ["undefined", "undefined", "undefined"],
  ],
  [
    "the function constructor of an object",
    "c.constructor.constructor('return typeof process')()",
    "undefined",
  ],
  [
    "the function constructor of a host function",
    "crypto.getRandomValues.constructor('return typeof process')()",
    "undefined",
  ],
  [
    "the realm behind each global",
    `Promise.all(Object.getOwnPropertyNames(globalThis).map(async (name) => {
      const value = globalThis[name];
      // An async function's constructor makes async functions.
      const seen = typeof value === "function" ? await value.constructor("return typeof process")() : "undefined";
      return seen === "undefined" ? [] : [name];
    })).then((found) => found.flat())`,
    [],
  ],
  [
    "the realm of an error that the host threw",
    "(() => { try { crypto.getRandomValues(new Uint8Array(1e6)) } catch (e) { return e.constructor.constructor('return typeof process')() } })()",
    "undefined",
  ],
  ["eval", "(0, eval)('typeof process + typeof globalThis.require')", "undefinedundefined"],
  [
    "eval in a new function's scope",
    "new Function('return this === globalThis && typeof this.process')()",
    "undefined",
  ],
  [
    "async and generator constructors",
    "Object.getPrototypeOf(async () => {}).constructor('return typeof process')()",
    "undefined",
  ],
  ["import() of a built-in module", "import('node:fs').then(() => 'in', () => 'refused')", "refused"],
  ["import() of a file", "import('file:///etc/passwd').then(() => 'in', () => 'refused')", "refused"],
  [
    "import() of data",
    "import('data:text/javascript,export default 1').then(() => 'in', () => 'refused')",
    "refused",
  ],
  [
    "the guest's own door",
    "[typeof troupeIsolate, typeof guest, typeof ivm, typeof isolate]",
    ["undefined", "undefined", "undefined", "undefined"],
  ],
  [
    "what the platform would bring",
    "[typeof WebSocket, typeof Worker, typeof Deno, typeof Bun]",
    Array(4).fill("undefined"),
  ],
  [
    "the network, which nobody granted",
    "fetch('http://127.0.0.1/').then(() => 'in', (error) => error.group + '.' + error.code)",
    "network.denied",
  ],
  ["shared memory", "[typeof SharedArrayBuffer, typeof Atomics]", ["undefined", "undefined"]],
  [
    "more of the memory that it shares with its process",
    `(() => {
      const memory = sharedMemory(c);
      return [memory.byteLength, memory.constructor === Object, typeof memory.slice, typeof memory.grow];
    })()`,
    [undefined, true, "undefined", "undefined"],
  ],
  ["WebAssembly", "typeof WebAssembly", "undefined"],
  ["a finalizer", "typeof FinalizationRegistry", "undefined"],
  [
    "a frame of the stack",
    "(() => { Error.prepareStackTrace = (_, frames) => frames; const [frame] = new Error().stack; return typeof frame.getThis?.() })()",
    "undefined",
  ],
  [
    "import() by a new function",
    "new Function('return import(\"node:fs\")')().then(() => 'in', () => 'refused')",
    "refused",
  ],
  [
    "import.meta",
    "(() => { try { return (0, eval)('import.meta') } catch { return 'refused' } })()",
    "refused",
  ],
  [
    "the engine's own functions",
    "(() => { try { return (0, eval)('%GetOptimizationStatus(1)') } catch { return 'refused' } })()",
    "refused",
  ],
  [
    "text as a timer's task",
    "(() => { try { setTimeout('1', 1); return 'in' } catch { return 'refused' } })()",
    "refused",
  ],
  [
    "another realm behind random bytes",
    "[crypto.getRandomValues(new Uint8Array(4)).constructor === Uint8Array, crypto.randomUUID().constructor === String]",
    [true, true],
  ],
  [
    "a function of a frame of the stack",
    "(() => { Error.prepareStackTrace = (_, frames) => frames; const all = new Error().stack; return all.every((frame) => frame.getFunction?.() === undefined || frame.getFunction().constructor('return typeof process')() === 'undefined') })()",
    true,
  ],
  [
    "the realm of a promise's executor",
    "new Promise((resolve) => resolve(resolve.constructor.constructor('return typeof process')()))",
    "undefined",
  ],
  [
    "the engine's door for debuggers",
    "[typeof console.profile, typeof inspect, typeof debug, typeof gc]",
    Array(4).fill("undefined"),
  ],
  [
    "the prototype of the host's objects, by an answer",
    'Object.keys(JSON.parse(\'{"a":1,"__proto__":{"polluted":1}}\')).length',
    2,
  ],
  [
    "the host's realm behind what it was told",
    "c.key.constructor.constructor('return typeof process')() + c.key.map.constructor('return typeof process')()",
    "undefinedundefined",
  ],
  [
    "the realm of a timer's task",
    "new Promise((resolve) => setTimeout(function () { resolve([typeof this?.process, resolve.constructor.constructor('return typeof process')()]); }, 1))",
    ["undefined", "undefined"],
  ],
  [
    "a caller",
    "(() => { try { return (function f() { return typeof f.caller })() } catch { return 'refused' } })()",
    "refused",
  ],
];

/** Finds it by changing the language under the guest, which writes what it says there. */
export const sharedMemory = `
  export const sharedMemory = (c) => {
    const { set } = Uint8Array.prototype;
    let memory;
    Uint8Array.prototype.set = function (...given) {
      if (!(this.buffer instanceof ArrayBuffer)) memory = this.buffer;
      return set.apply(this, given);
    };
    c.log.info("found");
    Uint8Array.prototype.set = set;
    return memory;
  };`;

/** Attempts that take something away from everybody: they end their isolate, or fail by themselves. */
export const bombs: Readonly<Record<string, { readonly action: string; readonly is: string }>> = {
  loop: { action: "() => { for (;;); }", is: "dynamic.time_exceeded" },
  loopOfCalls: {
    action: "() => { const a = []; for (;;) { a.push(1); a.length = 0; } }",
    is: "dynamic.time_exceeded",
  },
  loopOfMicrotasks: { action: "async () => { for (;;) await null; }", is: "dynamic.time_exceeded" },
  loopThatCatches: {
    action: "() => { for (;;) { try { for (;;); } finally { continue; } } }",
    is: "dynamic.time_exceeded",
  },
  loopInATimer: {
    action: "() => new Promise(() => setTimeout(() => { for (;;); }, 1))",
    is: "dynamic.time_exceeded",
  },
  regularExpression: { action: "() => /(a+)+b/.test('a'.repeat(60))", is: "dynamic.time_exceeded" },
  heap: { action: "() => { const a = []; for (;;) a.push({ a }); }", is: "dynamic.memory_exceeded" },
  heapThatCatches: {
    action: "() => { const a = []; for (;;) try { for (;;) a.push(new Array(99).fill(1)); } catch {} }",
    is: "dynamic.memory_exceeded",
  },
  buffers: {
    action: "() => { const a = []; for (;;) a.push(new Uint8Array(1e6).fill(1)); }",
    is: "dynamic.memory_exceeded",
  },
  oneBuffer: { action: "() => new Uint8Array(2e9).length", is: "dynamic.memory_exceeded" },
  buffersInATimer: {
    action:
      "() => new Promise(() => setTimeout(() => { const a = []; for (;;) a.push(new Float64Array(1e6)); }, 1))",
    is: "dynamic.memory_exceeded",
  },
  text: { action: "() => { let s = 'x'; for (;;) s += s; }", is: "internal.error" },
  stack: { action: "function act() { return act() + 1; }", is: "internal.error" },
  lengthThatIsNone: {
    action: "(c) => { new Uint32Array(sharedMemory(c)).fill(0xffff_fff0); }",
    is: "dynamic.nonsense",
  },
  recordsThatAreNone: {
    action: "(c) => { const memory = sharedMemory(c); new Uint8Array(memory, 8, 400).fill(200); }",
    is: "dynamic.nonsense",
  },
  joins: { action: "() => [].join.call({ length: 2 ** 53 - 1 })", is: "internal.error" },
  errorThatLoops: {
    action: "() => { throw { get message() { for (;;); }, get code() { for (;;); } }; }",
    is: "internal.error",
  },
  answerThatLoops: { action: "() => ({ get a() { for (;;); } })", is: "dynamic.time_exceeded" },
  answerThatNeverComes: { action: "() => ({ then: () => { for (;;); } })", is: "dynamic.time_exceeded" },
  answerThatIsAProxy: {
    action: "() => new Proxy({}, { ownKeys: () => { for (;;); } })",
    is: "dynamic.time_exceeded",
  },
  lineThatLoops: {
    action: "(c) => c.log.info('x', { get a() { for (;;); } })",
    is: "dynamic.time_exceeded",
  },
  timers: {
    action:
      "() => { for (let n = 0; n < 20_000; n += 1) setTimeout(() => {}, 1e6); return new Promise(() => {}); }",
    is: "dynamic.too_many_timers",
  },
};

/** What the engine does in one piece, where no script is interrupted: the process ends, and the next one has everybody else. */
export const stubborn: Readonly<Record<string, string>> = {
  searchOfNothing: "() => Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1)",
  searchFromTheEnd: "() => { const a = []; a.length = 2 ** 32 - 1; return a.lastIndexOf(1); }",
};
