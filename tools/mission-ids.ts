/**
 * Promises that a test must prove, by id. A test names the ids that it proves in its title, or in that of a
 * `describe` around it: `test("S2.3 messages buffered while a socket opens are flushed in order", …)`.
 * A test of some of it says `S2.3 (in part)`, which proves nothing by itself.
 *
 * S1 native plugins · S2 kinds of actors · S3 WebAssembly, edge hosts, remote SQL · S4 live sessions · S5 relay
 */
export const mission: Readonly<Record<string, string>> = {
  "S1.1": "two loads of one library at the same time initialise it once; a failed load is not cached",
  "S1.2": "no handle is handed out that was not retained, and nothing leaks on an error path",
  "S1.3": "a panic in a plugin is an error of that call; the host lives on",
  "S1.4": "a plugin declares what it needs and every option that an actor has",
  "S1.5": "a definition is frozen: nothing outside can replace its behaviour",
  "S1.6": "a removed or renamed entry point throws package.moved with what to use",
  "S1.7": "what only the native carrier needs is an optional dependency and not in the edge bundle",
  "S1.8": "the native ABI's version has a written history",
  "S1.9": "binary values cross unchanged: every language reads and writes one file of golden encodings",
  "S2.1": "kinds of actors are a tagged union without a method that throws by design",
  "S2.2": "one loading path and one domain error for action, HTTP and WebSocket",
  "S2.3": "messages buffered while a socket opens are flushed in order, and none overtakes them",
  "S2.4":
    "a message to a stopping actor is held for the next activation or refused with a reason, never dropped",
  "S2.5": "hibernation metadata survives the isolate boundary, or it is an error that says so",
  "S2.6": "every option takes effect on every kind and host, or is refused by name",
  "S2.7": "hibernating and restoring, a failing start with its clean-up, and the ordered flush are tested",
  "S3.1": "configuration that isn't supported is refused, never dropped",
  "S3.2": "stopping refuses queued SQL, drains what runs within a bound, and cleans up even then",
  "S3.3": "limits of remote SQL are checked before execution, and workers are shared fairly",
  "S3.4": "errors are typed on the wire; a new message fails the build until every gate knows it",
  "S3.5": "a message that can't be encoded fails its request, not the connection",
  "S3.6": "not sent and sent with unknown outcome are told apart",
  "S3.7": "a stale generation is fenced out; one executor per actor and generation",
  "S3.8": "serverful hosts that stop go back to starting, serverless ones to allocating",
  "S3.9": "a request outside an actor's own path is never routed to it",
  "S3.10": "raw bindings are imported by the adapter alone; the edge bundle is built and run",
  "S3.11": "an incompatible protocol version is refused by name in all four directions",
  "S4.1": "a cold boot never starves connections: they open, subscribe and close while it runs",
  "S4.2": "a subscription is in force before an action that is called after it in the same tick",
  "S4.3": "each session event is stored, then broadcast, as one argument",
  "S5.1": "a dry run writes, binds and starts nothing, and reports a missing plugin",
  "S5.2": "a manifest reference is asked only of kinds that need it",
  "S5.3": "native-only dependencies, and their tests, stay out of builds that can't use them",
  "S5.4": "registrations are cleared before unload and after a failed start; a second start succeeds",
  "S5.5": "outputs of foreign code are released on every path",
  "S5.6": "the active scope follows a call through every boundary and is restored after a throw",
  "S5.7": "a test's registrations are undone even when it fails",
  "S5.8": "a misclassified kind fails the test that lists it; a server that starts unasked fails, not hangs",
  "S5.9": "a guardrail's rejection keeps its type across every carrier",
};
