/** The names of the files of a data directory. */
export function shardName(place: number): string {
  return `shard-${place.toString(16).padStart(2, "0")}.db`;
}

/** What {@link shardName} gives. */
export const SHARD_NAME: RegExp = /^shard-[0-9a-f]{2}\.db$/;

/** Where the files of actors with a database are. */
export const OWN_FOLDER = "actors";

/** The name of an actor's own file, with its id. */
export const OWN_NAME: RegExp = /^([0-9a-f]{32})\.db$/;
