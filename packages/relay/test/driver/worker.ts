/** A worker thread with a relay of its own: runs a tool below the scope that it is sent, and answers with its events. */
import { parentPort } from "node:worker_threads";
import { propagationContextFromJson, type RelayEvent } from "@troupe/relay";
import { createRelay } from "@troupe/relay/node";

parentPort?.once("message", async (scope: string) => {
  const relay = createRelay();
  const events: RelayEvent[] = [];
  relay.registerSubscriber("all", (event) => void events.push(event));
  const parent = relay.createScopeFromPropagation(propagationContextFromJson(scope));
  await relay.withScopeStack(parent, () => relay.toolCallExecute("threaded", {}, () => ({ result: 1 })));
  await relay.flushSubscribers();
  parentPort?.postMessage(events);
});
