import { packageMoved } from "@troupe/base";

throw packageMoved(
  "troupe/relay/pii_redaction",
  '"troupe/relay/pii-redaction"',
  "troupe/relay/pii-redaction",
);
