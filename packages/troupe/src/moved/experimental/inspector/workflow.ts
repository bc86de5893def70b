import { packageMoved } from "@troupe/base";

throw packageMoved(
  "troupe/experimental/inspector/workflow",
  "the inspector, which shows workflows by itself: docs/inspector.md",
);
