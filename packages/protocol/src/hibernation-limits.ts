/** What a gateway holds of clients while their actors sleep. A part of `limits`. */
export const hibernationLimits = {
  /** Messages that the gateway holds of one client that hibernates: past it the socket isn't read. */
  heldMessages: 1_024,
  /** Bytes of those. */
  heldBytes: 1024 * 1024,
  /** As `heldMessages`, where a socket can't be left unread: past it the socket is closed with 1013. */
  heldMessagesMost: 65_536,
  /** Bytes of what the gateway holds of all such clients. */
  gatewayHeldBytes: 256 * 1024 * 1024,
} as const;
