/** Canaries of sessions: what breaks the way of an event from the log to those who follow. */
import { Transcript } from "../packages/agent-os/src/sessions/transcript.ts";
import { Connection } from "../packages/client/src/connection/connection.ts";

/** Each third event is numbered and told, and not stored. */
export function storeTwoOfThree(): () => void {
  const { append } = Transcript.prototype;
  let appended = 0;
  Transcript.prototype.append = async function forget(this: Transcript, stream, event): Promise<number> {
    appended += 1;
    if (appended % 3 !== 0) return await append.call(this, stream, event);
    const { events } = await this.before({ sessionId: stream, before: undefined, limit: 1 });
    return (events[0]?.sequence ?? 0) + 1;
  };
  return () => {
    Transcript.prototype.append = append;
  };
}

/** A page lacks its last event. */
export function tearPages(): () => void {
  const { page } = Transcript.prototype;
  Transcript.prototype.page = async function tear(this: Transcript, range) {
    const { events, hasMore } = await page.call(this, range);
    return { events: events.slice(0, -1), hasMore };
  };
  return () => {
    Transcript.prototype.page = page;
  };
}

/** Nobody is told of a connection's status. */
export function deafen(): () => void {
  const { onStatusChange } = Connection.prototype;
  Connection.prototype.onStatusChange = () => () => undefined;
  return () => {
    Connection.prototype.onStatusChange = onStatusChange;
  };
}
