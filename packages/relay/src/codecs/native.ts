/** What only one provider has: carried as it is, under the name of the provider. */
import type { Json } from "../events/event.ts";
import type { AnnotatedMessage, AnnotatedPart } from "./annotated.ts";
import { isObject } from "./json.ts";

/** A part, or a tool, of `provider`'s own. */
export function nativePart(provider: string, kind: string, value: Json): AnnotatedPart {
  return { type: "provider_native", provider, kind, value };
}

/** A message, or an item in its place, of `provider`'s own. */
export function nativeMessage(provider: string, kind: string, value: Json): AnnotatedMessage {
  return { role: "provider_native", provider, kind, value };
}

/** What an annotation carries as it is; undefined for all others. */
export function nativeValue(annotation: Json | AnnotatedMessage): Json | undefined {
  if (!isObject(annotation)) return undefined;
  const native = annotation.type === "provider_native" || annotation.role === "provider_native";
  return native ? (annotation.value ?? null) : undefined;
}
