/** What is said to an actor that stops, by each kind of socket, at each moment of the stop: never dropped in silence. */
import { type AnyActorDefinition, actor, type UniversalWebSocket } from "@troupe/runtime";
import { expect, test } from "vitest";
import { carried } from "../driver/carried.ts";
import { Driver } from "../driver/driver.ts";
import { RawClient } from "../driver/raw-client.ts";
import { Latch } from "../driver/watch.ts";

let resting: Latch | undefined;

/** Answers what it is told; its sleep takes as long as the story wants. */
function teller(hibernates: boolean): AnyActorDefinition {
  return actor({
    state: { said: [] as string[] },
    // What can't be stored keeps its connection from hibernating.
    createConnState: () => (hibernates ? {} : () => {}),
    options: { canHibernateWebSocket: hibernates },
    onSleep: () => resting?.promise,
    onWebSocket: (c, websocket: UniversalWebSocket) => {
      websocket.onmessage = ({ data }) => {
        c.state.said.push(String(data));
        websocket.send(`heard ${String(data)}`);
      };
    },
    actions: {
      say: (c, text: string) => {
        c.state.said.push(text);
        return `heard ${text}`;
      },
      said: (c) => c.state.said,
    },
  });
}

/** A client, by what it says and what it has heard. */
interface Talking {
  say(text: string): void;
  readonly heard: readonly string[];
  readonly closed: { readonly code: number; readonly reason: string } | undefined;
}

type Told = Driver<Record<string, AnyActorDefinition>>;

const clients: Readonly<Record<string, (driver: Told) => Talking>> = {
  "a connection": (driver) => {
    const socket = driver.socket("/actor/teller/connect").hello();
    let id = 0;
    return {
      say: (text) => {
        id += 1;
        socket.action(id, "say", text);
      },
      get heard() {
        return socket.story.flatMap((line) => /^reply \d+ "(.*)"$/.exec(line)?.[1] ?? []);
      },
      get closed() {
        return socket.closed;
      },
    };
  },
  "a raw socket": (driver) => {
    const raw = new RawClient(driver.world, driver.runtime.gateway, "/actor/teller/websocket");
    return {
      say: (text) => void raw.say(text),
      get heard() {
        return raw.heard.map(String);
      },
      get closed() {
        return raw.closed;
      },
    };
  },
};

const kinds: Readonly<Record<string, () => Record<string, AnyActorDefinition>>> = {
  "that hibernates": () => ({ teller: teller(true) }),
  "that doesn't": () => ({ teller: teller(false) }),
  "of an actor elsewhere": () => carried({ teller: teller(false) }),
};

for (const [what, open] of Object.entries(clients)) {
  for (const [kind, make] of Object.entries(kinds)) {
    test(`S2.4 ${what} ${kind}: all that is said while its actor stops is answered in order, or the socket closes with a reason`, async () => {
      resting = new Latch();
      await using driver: Told = await Driver.start(make());
      const client = open(driver);
      client.say("0");
      await driver.world.idle();
      const { actorId = "" } = await driver.http("POST", "/actor/teller/resolve");
      const slept = driver.runtime.host.sleep(actorId);
      const said = ["0"];
      const say = (): void => {
        if (client.closed !== undefined) return;
        said.push(`${said.length}`);
        client.say(`${said.length - 1}`);
      };
      // At the first step of the stop, in the middle, at its end, and behind it.
      for (let moment = 0; moment < 3; moment += 1) {
        say();
        await driver.world.idle();
      }
      resting.open();
      for (let moment = 0; moment < 5; moment += 1) {
        say();
        await Promise.resolve();
      }
      await slept;
      say();
      await driver.world.idle();
      resting = undefined;
      const known = (await driver.act("teller", "said")).output;
      if (client.closed === undefined) {
        expect(client.heard).toEqual(said.map((text) => `heard ${text}`));
        expect(known).toEqual(said);
      } else {
        expect(kind).not.toBe("that hibernates");
        expect(client.closed).toEqual({ code: 1012, reason: "actor.restarting" });
        // What was heard was in order, and nothing of the rest was done behind its back.
        expect(client.heard).toEqual((known as string[]).map((text) => `heard ${text}`));
        expect(known).toEqual(said.slice(0, client.heard.length));
      }
    });
  }
}
