import { packageMoved } from "@troupe/base";

throw packageMoved(
  "troupe/inspector-tab",
  "the inspector's page, which has a part for each thing that an actor has: docs/inspector.md",
);
