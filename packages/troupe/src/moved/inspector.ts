import { packageMoved } from "@troupe/base";

throw packageMoved(
  "troupe/inspector",
  '`setup({ inspector })` of "troupe", and its HTTP API: docs/inspector.md',
  "troupe",
);
