/** What the browser runs: the documentation's components on one actor, with switches. */
import { StrictMode, useState } from "react";
import { Room } from "./room.tsx";

function Switched({ label }: { readonly label: string }) {
  const [on, setOn] = useState(true);
  const [mounts, setMounts] = useState(0);
  return (
    <article aria-label={label}>
      <button type="button" onClick={() => setOn(!on)}>
        Switch
      </button>
      <button type="button" onClick={() => setMounts(mounts + 1)}>
        Mount anew
      </button>
      {on && <Room key={mounts} name="lobby" />}
    </article>
  );
}

function Enabled() {
  const [enabled, setEnabled] = useState(false);
  return (
    <article aria-label="off">
      <button type="button" onClick={() => setEnabled(!enabled)}>
        Enable
      </button>
      <Room name="lobby" enabled={enabled} />
    </article>
  );
}

/** The same on the server and in the browser. */
export function Page() {
  return (
    <StrictMode>
      <Switched label="first" />
      <Switched label="second" />
      <Enabled />
    </StrictMode>
  );
}
