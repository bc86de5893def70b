/**
 * The parts of an actor that the inspector shows from its rows. A part that has rows of its own puts its section here;
 * everything else follows: the address, pages, the gate, actors that sleep, actors whose code is elsewhere.
 */
import { kvSection } from "../kv/inspect.ts";
import type { InspectorSection } from "../ports/inspection.ts";
import { deadLetterSection, queueSection } from "../queue/inspect.ts";
import { scheduleSection } from "../schedule/inspect.ts";
import { workflowHistorySection, workflowSection } from "../workflow/inspect.ts";
import { stateSection } from "./state-section.ts";

/** All of them. */
export const sections: readonly InspectorSection[] = [
  stateSection,
  kvSection,
  scheduleSection,
  queueSection,
  deadLetterSection,
  workflowSection,
  workflowHistorySection,
];
