/** A sync failed: nobody knows what the disk holds. */
export class SyncFailed extends Error {}
