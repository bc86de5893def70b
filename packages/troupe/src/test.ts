export type { TestScope, TestSetup } from "@troupe/runtime";
export { setupTest } from "@troupe/runtime";
