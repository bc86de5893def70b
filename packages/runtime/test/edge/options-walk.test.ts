/** Every option of an actor in a real workerd: it takes effect. What is refused is so before a host starts: `actor()` throws it. */
import { type AnyActorDefinition, remoteActor, setup } from "@troupe/runtime";
import { expect, test } from "vitest";
import { type RealActor, realActors, realConfig, walk } from "../definitions/real-walk.ts";
import { bundleText, EdgeHost } from "./workerd.ts";

const TOKEN = "edge-secret";

const room = `
  state: { wakes: 0 },
  onWake: (c) => { c.state.wakes += 1; },
  onWebSocket: (c, ws) => {
    ws.onmessage = ({ rivetMessageIndex }) => ws.send(c.state.wakes + "." + rivetMessageIndex);
  },
  actions: { nap: (c) => c.sleep() }`;

/** Its raw socket stays open over its sleep, as sockets do by default. */
async function hibernates(handle: Parameters<RealActor["story"]>[0]): Promise<void> {
  const socket = await handle("a").webSocket();
  const heard: string[] = [];
  socket.onmessage = ({ data }) => heard.push(String(data));
  socket.onopen = () => socket.send("");
  await expect.poll(() => heard, { timeout: 15_000 }).toEqual(["1.1"]);
  await handle("a").action({ name: "nap", args: [] });
  socket.send("");
  await expect.poll(() => heard[1], { timeout: 15_000 }).toMatch(/^[12]\.2$/);
  socket.close();
}

test("S2.6 every option takes effect on every kind and host, or is refused by name: in workerd as in an isolate, a native library and here", async () => {
  const names = Object.keys(realActors);
  const configs = [...names.map((name) => [name, realConfig(name)]), ["room", room]];
  const use: Record<string, AnyActorDefinition> = Object.fromEntries(
    configs.map(([name]) => [name, remoteActor()]),
  );
  const registry = setup({ use, hosts: { token: TOKEN } });
  const { endpoint } = await registry.start({ port: 0, durability: "memory", signals: false, banner: false });
  const script = await bundleText(`
    import { actor, queue, startHost } from "@troupe/runtime/edge";
    const use = { ${configs.map(([name, config]) => `${name}: actor({ ${config} })`).join(",\n")} };
    export default { fetch: (_, { ENGINE, TOKEN }) => startHost({ use, endpoint: ENGINE, token: TOKEN }).response() };
  `);
  const [host, said] = await EdgeHost.start(script, { ENGINE: endpoint, TOKEN });
  await using _ = host;
  expect(said).toBe("data: ready\n\n");
  const wrong = await walk(endpoint, { ...realActors, room: { story: hibernates } });
  await registry.stop();
  expect(wrong).toEqual([]);
}, 60_000);
