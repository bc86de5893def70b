/** A property's name or an element's index, on the way from a value's root to one of its parts. */
export type Step = string | number;

const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;
const LONGEST_NAME = 64;

/** Writes a path as a program would: `args[0].user["first name"]`. Long names are cut. */
export function renderPath(root: string, steps: readonly Step[]): string {
  let path = root;
  for (const step of steps) {
    if (typeof step === "number") path += `[${step}]`;
    else if (step.length > LONGEST_NAME) path += `[${JSON.stringify(step.slice(0, LONGEST_NAME))}…]`;
    else if (!IDENTIFIER.test(step)) path += `[${JSON.stringify(step)}]`;
    else path += path === "" ? step : `.${step}`;
  }
  return path === "" ? "value" : path;
}
