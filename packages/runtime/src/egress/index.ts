/** The one way out for code that may not reach the network by itself. */
export { checkNetwork } from "./check-network.ts";
export { Egress } from "./egress.ts";
export { networkErrors } from "./errors.ts";
export type { AllowedTarget, Credential, NetworkConfig } from "./network-policy.ts";
export type { NetworkRequest, NetworkResponse } from "./network-request.ts";
