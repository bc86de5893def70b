/** Limits of the relay's exporters and components; part of `limits`. */
export const relayExportLimits = {
  /** Spans or log records that wait for a collector before an exporter's subscriber waits too. */
  relayExportItems: 4_096,
  /** Their bytes, as `bytesOfEvent` reckons those of the events that they are made of. */
  relayExportItemBytes: 32 * 1024 * 1024,
  /** Events, spans or records of one request to a collector. */
  relayExportBatch: 512,
  /** Tries of one batch, when the error says that another may help. */
  relayExportTries: 4,
  /** The pause behind the first try; each is twice the one before. */
  relayExportPauseMs: 200,
  /** Scopes whose end a trace exporter waits for: past it the oldest is told as it is. */
  relayOpenSpans: 10_000,
  /** Scopes and marks that an ATIF exporter keeps of one session: past it the oldest go. */
  relayTrajectoryEvents: 100_000,
  /** Their bytes, as `bytesOfEvent` reckons them. */
  relayTrajectoryBytes: 256 * 1024 * 1024,
  /** Instruments of a metric exporter: past it a measurement with a new name is dropped and counted. */
  relayInstruments: 256,
  /** Sets of attributes of one instrument: past it they are counted as one. */
  relayMetricSeries: 2_000,
  /** What a component may take to begin, and to end. */
  relayComponentMs: 30_000,
  /** Responses that a response cache keeps: past it the one that was used least recently goes. */
  relayCachedResponses: 1_000,
  /** Characters of all responses that a response cache keeps. */
  relayCachedCharacters: 64 * 1024 * 1024,
} as const;
