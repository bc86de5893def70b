/** Whether what a program says of a network is a policy. */
import { nearest } from "@troupe/base";
import { configErrors } from "../errors.ts";
import { type NetworkConfig, NetworkPolicy } from "./network-policy.ts";

const names: readonly (keyof NetworkConfig)[] = ["allow", "credentials"];

/** Throws `config.unknown_option`, `config.invalid_option`. */
export function checkNetwork(network: NetworkConfig): void {
  for (const name of Object.keys(network))
    if (!names.some((known) => known === name))
      throw configErrors.unknownOption(`network.${name}`, nearest(name, names));
  if (network.allow !== undefined && !Array.isArray(network.allow))
    throw configErrors.invalidOption("network.allow", "a list of origins");
  new NetworkPolicy(network);
  for (const [name, credential] of Object.entries(network.credentials ?? {}))
    if (typeof credential?.value !== "string" || credential.value === "" || !Array.isArray(credential.hosts))
      throw configErrors.invalidOption(`network.credentials.${name}`, "an object with `value` and `hosts`");
}
