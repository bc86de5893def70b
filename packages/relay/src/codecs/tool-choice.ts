/** Which tool a model shall call, where providers name the function beside the type and annotations below it. */
import type { Json } from "../events/event.ts";
import { isObject, type JsonObject, own, without } from "./json.ts";

/** `{ type, name }` as `{ type: "function", function: { name } }`; all else as it is. */
export function nestedChoice(choice: Json | undefined, type = "function"): Json | undefined {
  if (!isObject(choice) || choice.type !== type || typeof choice.name !== "string") return choice;
  return { type: "function", function: { name: choice.name } };
}

/** The other way. */
export function writtenChoice(choice: Json | undefined, type = "function"): Json | undefined {
  const fn = isObject(choice) ? own(choice, "function") : undefined;
  if (!isObject(choice) || !isObject(fn)) return choice;
  const rest: JsonObject = without(choice, "function", "type");
  return { ...rest, type, name: own(fn, "name") ?? "" };
}
