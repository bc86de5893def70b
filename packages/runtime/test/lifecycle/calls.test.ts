/** A call ends, whatever its action, or a connect hook around it, returns or throws. */
import { TroupeError, UserError } from "@troupe/base";
import { actor } from "@troupe/runtime";
import { expect, test } from "vitest";
import { LazyAbort } from "../../src/actor/local/abort.ts";
import { Driver } from "../driver/driver.ts";

/** Throws at every touch. */
const hostile = (): object => {
  const touched = (): never => {
    throw new Error("touched");
  };
  return new Proxy({}, { has: touched, get: touched, getPrototypeOf: touched, ownKeys: touched });
};

/** Looks like an error of ours until it is read. */
const impostor = (): object =>
  new Proxy(
    {},
    {
      has: () => true,
      get: (_target, key) => {
        if (key === "__troupeError") return 1;
        throw new Error("touched");
      },
    },
  );

const thenTrap = (): object =>
  // biome-ignore lint/suspicious/noThenProperty: what code returns may have one, and it may throw.
  Object.defineProperty({}, "then", {
    get: () => {
      throw new Error("touched");
    },
  });

const actions = {
  thenTrap: () => thenTrap(),
  thenTrapLater: async () => ({ inside: thenTrap() }),
  hostile: () => {
    throw hostile();
  },
  hostileLater: async () => {
    throw hostile();
  },
  impostor: () => {
    throw impostor();
  },
  symbol: () => {
    throw Object.assign(new UserError("no"), { message: Symbol("no text") });
  },
  status: () => {
    throw new TroupeError("mine", "odd", "odd", { statusCode: 99_999 });
  },
  fine: () => "fine",
};

const plain = actor({ actions });
const hooked = actor({ onBeforeConnect: () => {}, actions });
const transformed = actor({ onBeforeActionResponse: (_c, _name, _args, output) => output, actions });

for (const name of ["plain", "hooked", "transformed"] as const) {
  for (const action of Object.keys(actions)) {
    test(`${name}: ${action} has an answer, and nothing keeps the actor awake behind it`, async () => {
      await using driver = await Driver.start({ plain, hooked, transformed });
      const answer = await driver.act(name, action);
      if (action === "fine") expect(answer.output).toBe("fine");
      else if (action === "status") expect(answer).toMatchObject({ status: 500, code: "mine.odd" });
      else if (action !== "thenTrapLater")
        expect(answer).toMatchObject({ status: 500, code: "internal.error" });
      const socket = driver.socket(`/actor/${name}/connect`).hello().action(1, action).action(2, "fine");
      await driver.world.idle();
      expect(socket.story).toHaveLength(3);
      expect(socket.story[2]).toBe('reply 2 "fine"');
      socket.close();
      const { [name]: handles } = driver.local();
      await Promise.allSettled([handles.getOrCreate().action({ name: action })]);
      await driver.world.pass(600_000);
      expect(driver.runtime.host.size).toBe(0);
    });
  }
}

test("a connect hook that had effects isn't run again because it throws something retryable", async () => {
  let runs = 0;
  const fails = () => {
    runs += 1;
    throw new TroupeError("other", "busy", "try again", { statusCode: 503, retryable: true });
  };
  const before = actor({ onBeforeConnect: fails, actions: { act: () => 1 } });
  const state = actor({ createConnState: fails, actions: { act: () => 1 } });
  const connect = actor({ onConnect: fails, actions: { act: () => 1 } });
  await using driver = await Driver.start({ before, state, connect });
  await using client = driver.client();
  for (const handle of [
    client.before.getOrCreate(),
    client.state.getOrCreate(),
    client.connect.getOrCreate(),
  ]) {
    runs = 0;
    await expect(handle.act()).rejects.toMatchObject({ group: "other", code: "busy", retryable: false });
    expect(runs).toBe(1);
  }
});

test("a connect hook's signal is aborted when the hook fails, and none stays with the activation", async () => {
  const signals: AbortSignal[] = [];
  const read = (c: { readonly abortSignal: AbortSignal }) => void signals.push(c.abortSignal);
  const reader = actor({
    onBeforeConnect: (c, params: unknown) => {
      read(c);
      if (params !== undefined) throw new UserError("no");
    },
    createConnState: (c) => read(c),
    onConnect: (c) => read(c),
    onDisconnect: (c) => read(c),
    actions: { act: () => 1 },
  });
  const followed: AbortController[] = [];
  const { follow, unfollow } = LazyAbort.prototype;
  LazyAbort.prototype.follow = function (controller) {
    followed.push(controller);
    follow.call(this, controller);
  };
  LazyAbort.prototype.unfollow = function (controller) {
    followed.splice(followed.indexOf(controller), 1);
    unfollow.call(this, controller);
  };
  try {
    await using driver = await Driver.start({ reader });
    expect((await driver.act("reader", "act")).output).toBe(1);
    expect(signals.map((signal) => signal.aborted)).toEqual([false, false, false, false]);
    expect(followed).toEqual([]);
    await driver.http("POST", "/actor/reader/action/act", { params: { no: 1 } });
    expect([signals.length, signals[4]?.aborted]).toEqual([5, true]);
    expect(followed).toEqual([]);
  } finally {
    Object.assign(LazyAbort.prototype, { follow, unfollow });
  }
});
