/** Asked form: whether a client has asked for a stream, and in which form, as its provider understands it. */
import type { ChunkForm } from "./answer-form.ts";
import { pathOf } from "./request-path.ts";

/** "piece": it has asked for none. */
export type AskedForm = ChunkForm | "piece";

/** Gemini's word for it, and Vertex' for the models of others. */
const streams = /:stream(GenerateContent|RawPredict)$/i;

/** Servers that aren't strict read any of these for false, and 1 or "true" for true. */
const saysNo = /^(?:false|f|no|n|off|0)$/i;

/** By the address, in whatever spelling, and by what a body says. */
export function askedForm(url: string, content: unknown): AskedForm {
  const verb = streams.exec(pathOf(url))?.[1];
  // Gemini's streams are a list where nobody asks for events.
  if (verb?.toLowerCase() === "generatecontent") return asksForEvents(url) ? "events" : "list";
  const said = typeof content === "object" && content !== null && "stream" in content && content.stream;
  return verb !== undefined || (Boolean(said) && !saysNo.test(`${said}`)) ? "events" : "piece";
}

function asksForEvents(url: string): boolean {
  const query = new URLSearchParams(url.slice(url.indexOf("?") + 1));
  return [...query].some(([name, value]) => /^\$?alt$/i.test(name) && /^sse$/i.test(value));
}
