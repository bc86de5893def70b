/** A server whose actor sleeps soon, under its sockets, and says so; for clients that live through its end. */
import { actor, setup } from "@troupe/runtime";

const [, , dataDir = "", port = "0"] = process.argv;

const room = actor({
  state: { said: [] as string[], left: [] as string[] },
  createConnState: (_c, params: { name: string } | undefined) => ({ name: params?.name ?? "" }),
  options: { sleepTimeout: 50 },
  onSleep: () => void process.send?.({ kind: "asleep" }),
  onDisconnect: (c, conn) => void (conn.state.name !== "" && c.state.left.push(conn.state.name)),
  onWebSocket: (c, websocket) => {
    c.conn.state.name = "raw";
    websocket.onmessage = ({ data, rivetMessageIndex }) => {
      c.state.said.push(`${rivetMessageIndex} ${String(data)}`);
      websocket.send(`heard ${String(data)}`);
    };
  },
  actions: {
    say: (c, text: string) => void c.state.said.push(text),
    all: (c) => c.snapshot(),
  },
});

const registry = setup({ use: { room } });
export type Hibernating = typeof registry;

const server = await registry.start({ port: Number(port), dataDir, banner: false });
process.send?.({ kind: "port", port: server.port });
