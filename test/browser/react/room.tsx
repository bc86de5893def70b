// room.tsx
import { useEffect, useState } from "react";
import { createRivetKit } from "troupe/react";
import type { registry } from "./room.ts";

const { useActor, useAction } = createRivetKit<typeof registry>(globalThis.location?.origin);

export function Room(props: { name: string; enabled?: boolean }) {
  const room = useActor({ name: "room", key: ["rooms", props.name], enabled: props.enabled });
  const say = useAction(room, "say");
  const [texts, setTexts] = useState<readonly string[]>([]);

  room.useEvent("said", (text) => setTexts((before) => [...before, text]));
  useEffect(() => {
    // What was said before, and while the connection was away.
    if (room.isConnected) room.connection?.texts().then(setTexts);
  }, [room.isConnected, room.connection]);

  return (
    <section>
      <p role="status">{room.error?.message ?? room.connStatus}</p>
      <ul>
        {texts.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ul>
      <button type="button" disabled={say.pending} onClick={() => say.run(`hello ${texts.length}`)}>
        Say hello
      </button>
      <p role="alert">{say.error?.message}</p>
    </section>
  );
}
