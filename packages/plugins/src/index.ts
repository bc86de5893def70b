export type { Carrier, CarrierEvents, CloseReport, OpenCarrier } from "./carrier.ts";
