/** The caller's environment, which programs inside get unchanged. */
export function callerEnvironment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** Where the caller is. */
export function callerDirectory(): string {
  return process.cwd();
}
