import { packageMoved } from "@troupe/base";

throw packageMoved(
  "troupe/inspector/client",
  "the HTTP API and the WebSocket of the inspector: docs/inspector.md",
);
