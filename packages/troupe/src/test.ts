export type {
  CrashPoint,
  SetupTestOptions,
  TestActor,
  TestClock,
  TestScope,
  TestSetup,
  TestSetup as SetupTestResult,
} from "@troupe/runtime";
export { setupTest } from "@troupe/runtime";
