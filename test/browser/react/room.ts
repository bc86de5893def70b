// room.ts
import { actor, event, setup, UserError } from "troupe";

export const room = actor({
  state: { texts: [] as string[] },
  events: { said: event<[text: string]>() },
  actions: {
    say: (c, text: string) => {
      if (c.state.texts.length === 3) throw new UserError("The room is full");
      c.broadcast("said", text);
      return c.state.texts.push(text);
    },
    texts: (c) => c.state.texts,
  },
});

export const registry = setup({ use: { room } });
