/** Dynamic: an actor from text, in an isolate of a process of its own. */
import { once } from "node:events";
import { dynamicActor } from "troupe/dynamic";
import { WebSocket } from "ws";
import { median, type Part, same, shown } from "./part.ts";
import { Serving } from "./serving.ts";

const source = `
  import { actor } from "troupe";
  export default actor({
    state: { visits: 0 },
    onWebSocket: (c, socket) => socket.addEventListener("message", (event) => socket.send(event.data)),
    actions: {
      visit: (c) => { c.state.visits += 1; return c.state.visits; },
      visits: (c) => c.state.visits,
      echo: (c, bytes) => bytes,
      note: async (c, text) => { await c.kv.put("note", text); return await c.kv.get("note"); },
      wakeMe: (c) => { c.schedule.after(1, "visit"); c.sleep(); },
      spin: () => { for (;;); },
    },
  });`;

export const dynamic: Part = {
  title: "Dynamic: an actor from a text, in an isolate of a process of its own",
  async run(report) {
    await using troupe = await Serving.start({ use: { guest: dynamicActor({ source }) } });
    const handle = troupe.client.guest.getOrCreate(["tour"]);
    const act = (name: string, ...args: unknown[]) => handle.action({ name, args });
    same("a visit", await act("visit"), 1);
    same("a note", await act("note", "kept"), "kept");
    report.saw("its state and its keys and values are stored here");
    await act("wakeMe");
    let visits: unknown = 1;
    for (let attempt = 0; attempt < 1_000 && visits !== 2; attempt += 1) visits = await act("visits");
    same("visits, one of them its own schedule's", visits, 2);
    report.saw("it slept, and its own schedule ran");
    const bytes = new Uint8Array(100).fill(7);
    report.saw(
      "100 bytes there and back, from client to isolate, p50",
      shown(await median(200, () => act("echo", bytes))),
    );
    await sockets(troupe.endpoint);
    report.saw("a raw WebSocket echoes 100 messages in order");
    const stopped = await act("spin").catch((error: unknown) => String(error));
    report.saw(`a loop without end is ended: ${String(stopped)}`);
    report.saw(`and the next call works: visit ${String(await act("visit"))}`);
  },
};

async function sockets(endpoint: string): Promise<void> {
  const socket = new WebSocket(`${endpoint.replace("http", "ws")}/actor/guest/websocket?troupe-key=tour`);
  const heard: string[] = [];
  const all = new Promise<void>((resolve) => {
    socket.on("message", (data) => {
      heard.push(String(data));
      if (heard.length === 100) resolve();
    });
  });
  await once(socket, "open");
  const sent = Array.from({ length: 100 }, (_, index) => `message ${index}`);
  for (const text of sent) socket.send(text);
  await all;
  same("the echoes", heard, sent);
  socket.close();
  await once(socket, "close");
}
