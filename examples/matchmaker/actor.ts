/** Brings players together: a lobby that pairs those who wait, and an actor for each match that they play. */
import { actor, event, queue, setup, UserError } from "troupe";

export interface Player {
  readonly name: string;
  readonly rating: number;
}

interface Waiting extends Player {
  readonly ticket: number;
}

export interface Pairing {
  readonly match: string;
  readonly players: readonly string[];
}

export type Hand = "rock" | "paper" | "scissors";

/** Players further apart than this don't play. */
const FAIR = 200;

const beats: Readonly<Record<Hand, Hand>> = { rock: "scissors", paper: "rock", scissors: "paper" };

export const lobby = actor({
  state: { waiting: [] as Waiting[] },
  queues: { players: queue<Player>() },
  events: { paired: event<Pairing>({ retain: 100 }) },

  /**
   * What is done about a player is stored with the player's removal from the queue. If the process dies while the match
   * is made, the player comes again under the same ticket, and finds the same match.
   */
  run: async (c) => {
    for await (const { id: ticket, body: player } of c.queue.iter({ names: ["players"] })) {
      const rival = closest(c.state.waiting, player);
      if (rival === undefined) {
        c.state.waiting.push({ ...player, ticket });
        continue;
      }
      const match = `${rival.ticket}-${ticket}`;
      const players = [rival.name, player.name];
      await c.client<typeof registry>().match.getOrCreate([match]).seat(players);
      c.state.waiting = c.state.waiting.filter((other) => other.ticket !== rival.ticket);
      c.broadcast("paired", { match, players });
    }
  },

  actions: { waiting: (c): string[] => c.state.waiting.map(({ name }) => name) },
});

export const match = actor({
  state: { hands: {} as Record<string, Hand | undefined>, players: [] as readonly string[] },
  events: { over: event<string | undefined>({ retain: 1 }) },
  canCall: { seat: "internal" },
  actions: {
    /** The lobby's; a second time it changes nothing. */
    seat: (c, players: readonly string[]): void => {
      if (c.state.players.length === 0) c.state.players = players;
    },
    /** Answers with who has won, once both have played; nobody does when both show the same. */
    play: (c, player: string, hand: Hand): string | undefined => {
      if (!c.state.players.includes(player)) throw new UserError("You don't play here", { code: "not_here" });
      c.state.hands[player] ??= hand;
      const [one = "", other = ""] = c.state.players;
      const { [one]: first, [other]: second } = c.state.hands;
      if (first === undefined || second === undefined) return undefined;
      const winner = beats[first] === second ? one : beats[second] === first ? other : undefined;
      c.broadcast("over", winner);
      return winner;
    },
  },
});

function closest(waiting: readonly Waiting[], { rating }: Player): Waiting | undefined {
  const distance = (other: Waiting) => Math.abs(other.rating - rating);
  return waiting.filter((other) => distance(other) <= FAIR).sort((a, b) => distance(a) - distance(b))[0];
}

export const registry = setup({ use: { lobby, match } });
