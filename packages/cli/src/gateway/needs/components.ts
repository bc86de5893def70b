/** The relay's components, by their configuration alone: none is begun. What only a begun one finds, such as a file of its own, isn't seen. */

import { type Finding, fine, problem, warning } from "@troupe/base";
import { createRelay } from "@troupe/relay/node";
import { createComponents } from "@troupe/relay/plugin";
import type { GatewayOptions } from "../options.ts";

const mend = "correct it in the file; docs/components.md says what each kind takes";

/** One finding for each thing that is wrong; none where there are no components. */
export function checkComponents({ components }: GatewayOptions): readonly Finding[] {
  if (components === undefined) return [];
  const { diagnostics } = createComponents(createRelay()).validate(components);
  if (diagnostics.length === 0) return [fine("components", "their configuration is valid")];
  return diagnostics.map(({ level, code, component, message }) => {
    const check = component === undefined ? "components" : `component ${component}`;
    return (level === "error" ? problem : warning)(check, `${message} [${code}]`, mend);
  });
}
