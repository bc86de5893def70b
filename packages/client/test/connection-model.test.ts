/**
 * Random lives of a connection against what must hold whatever happens: nothing is sent twice but behind a refused
 * hello, subscriptions precede calls, calls keep their order, and every call gets an outcome that is true.
 */
import fc from "fast-check";
import { expect, test } from "vitest";
import type { GatewayLink } from "./support/gateway.ts";
import { type Stage, stage } from "./support/room.ts";
import { settled, type Watched, watch } from "./support/world.ts";

type Step = "act" | "on" | "off" | "open" | "welcome" | "answer" | "drop" | "refuse" | "wait";
const steps: readonly Step[] = ["act", "on", "off", "open", "welcome", "answer", "drop", "refuse", "wait"];

interface Call {
  readonly text: string;
  readonly answer: Watched<unknown>;
}

/** Plays steps, and remembers what crossed the wire. */
class Play {
  readonly #stage: Stage = stage({ reconnect: { baseMs: 10, maxMs: 10 } });
  readonly conn = this.#stage.client.get("room", "a").connect();
  readonly calls: Call[] = [];
  readonly links: { readonly link: GatewayLink; refused: boolean; readonly wanted: readonly string[] }[] = [];
  readonly #offs: (() => void)[] = [];
  readonly #wanted: string[] = [];
  #dialsTaken = 0;
  #answered = 0;

  async play(step: Step): Promise<void> {
    await settled();
    const current = this.links.at(-1);
    const live = current !== undefined && this.conn.connStatus !== "disconnected" ? current.link : undefined;
    switch (step) {
      case "act":
        return this.#act();
      case "on":
        return this.#on();
      case "off":
        this.#offs.pop()?.();
        this.#wanted.pop();
        return;
      case "open":
        return this.#open();
      case "welcome":
        if (live !== undefined && this.conn.connStatus === "connecting" && this.#isTaken())
          await live.welcome();
        return;
      case "answer":
        if (live !== undefined && this.conn.isConnected) await this.#answer(live);
        return;
      case "drop":
        if (live !== undefined && this.#isTaken()) await live.drop();
        return;
      case "refuse":
        if (current === undefined || this.conn.connStatus !== "connecting" || !this.#isTaken()) return;
        current.refused = true;
        await current.link.refuse({ retryable: true });
        return;
      case "wait":
        return this.#stage.world.pass(10);
    }
  }

  #act(): void {
    const text = `call ${this.calls.length}`;
    this.calls.push({ text, answer: watch(this.conn.action({ name: "say", args: [text] })) });
  }

  #on(): void {
    const event = `event ${this.#offs.length}`;
    this.#offs.push(this.conn.on(event, () => {}));
    this.#wanted.push(event);
  }

  async #open(): Promise<void> {
    if (this.#isTaken()) return;
    this.#dialsTaken = this.#stage.gateway.dials.length;
    const wanted = [...this.#wanted];
    const link = await this.#stage.gateway.open();
    this.links.push({ link, refused: false, wanted });
    this.#answered = 0;
  }

  async #answer(link: GatewayLink): Promise<void> {
    const action = link.frames.filter((frame) => frame.kind === "action")[this.#answered];
    if (action === undefined) return;
    this.#answered += 1;
    await link.say({ kind: "reply", id: action.id, output: `answer to ${String(action.args[0])}` });
  }

  /** True when the newest dial has its link. */
  #isTaken(): boolean {
    return this.#dialsTaken === this.#stage.gateway.dials.length;
  }
}

test("S3.6 (in part): no call is sent twice, whatever becomes of the links", async () => {
  const life = fc.array(fc.constantFrom(...steps), { minLength: 5, maxLength: 40 });
  const seen = { unknown: 0, resolved: 0, resent: 0 };
  await fc.assert(
    fc.asyncProperty(life, async (plan) => {
      const play = new Play();
      for (const step of plan) await play.play(step);
      await settled();
      const sent = new Map<string, number>();
      for (const { link, refused } of play.links) {
        const texts = link.frames.flatMap((frame) =>
          frame.kind === "action" ? [String(frame.args[0])] : [],
        );
        expect(texts).toEqual([...texts].sort((a, b) => Number(a.slice(5)) - Number(b.slice(5))));
        for (const text of texts) {
          expect(sent.has(text), `${text} was sent before`).toBe(false);
          if (refused) seen.resent += 1;
          else sent.set(text, 1);
        }
      }
      for (const { text, answer } of play.calls) {
        if (answer.state === "resolved") expect(answer.value).toBe(`answer to ${text}`);
        if (answer.state === "rejected") {
          expect(answer.code).toBe("client.outcome_unknown");
          expect(sent.has(text)).toBe(true);
          seen.unknown += 1;
        }
        if (answer.state === "resolved") seen.resolved += 1;
      }
      void play.conn.dispose();
    }),
    { numRuns: 300, seed: 20261121 },
  );
  // A run in which nothing of this happened would prove nothing.
  expect(Math.min(seen.unknown, seen.resolved, seen.resent)).toBeGreaterThan(0);
});

test("S4.2: on every link the subscriptions in force when it opened precede the first call", async () => {
  const life = fc.array(fc.constantFrom(...steps), { minLength: 5, maxLength: 40 });
  let links = 0;
  await fc.assert(
    fc.asyncProperty(life, async (plan) => {
      const play = new Play();
      for (const step of plan) await play.play(step);
      for (const { link, wanted } of play.links) {
        const firstCall = link.told.findIndex((told) => told.startsWith("act"));
        const before = firstCall === -1 ? link.told : link.told.slice(0, firstCall);
        for (const event of wanted) expect(before).toContain(`on ${event}`);
        if (firstCall > 0 && wanted.length > 0) links += 1;
      }
      void play.conn.dispose();
    }),
    { numRuns: 300, seed: 20261121 },
  );
  expect(links).toBeGreaterThan(0);
});
