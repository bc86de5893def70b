/** Names of namespaces, and the ids that they stand for. */
export interface Namespaces {
  /** The id of the namespace that is called so; of the default one without a name. Throws `namespace.not_found`. */
  idOf(name: string | undefined): string;
  /** What it is called now; undefined for the default one, which need not be named. */
  nameOf(id: string): string | undefined;
}
