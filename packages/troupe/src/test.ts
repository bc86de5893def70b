export type {
  CrashPoint,
  SetupTestOptions,
  TestActor,
  TestClock,
  TestScope,
  TestSetup,
} from "@troupe/runtime";
export { setupTest } from "@troupe/runtime";
