/** What a namespace is called: one rule, where it is made and wherever a program names it. */

/** What {@link isNamespaceName} takes, for errors. */
export const NAMESPACE_NAME =
  "1 to 64 letters, digits, dots, dashes and underscores, a letter or digit first";

/** True for the name of a namespace. */
export function isNamespaceName(name: unknown): name is string {
  return typeof name === "string" && /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(name);
}
