import { packageMoved } from "@troupe/base";

throw packageMoved(
  "troupe/relay/model_pricing",
  '"troupe/relay/model-pricing"',
  "troupe/relay/model-pricing",
);
