/** What stands in a `drizzle.config.ts`. */
export interface DrizzleKitConfig {
  readonly out?: string;
  readonly schema?: string;
  readonly dialect?: "sqlite";
  readonly [key: string]: unknown;
}

/** A configuration of drizzle-kit for actors' databases. */
export function defineConfig<C extends DrizzleKitConfig>(config: C): C & { dialect: "sqlite" } {
  return { ...config, dialect: "sqlite" };
}
