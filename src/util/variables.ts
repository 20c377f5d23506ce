// Environment variables, read from the environment itself and never from `Object.prototype`.

export type Variables = Readonly<Record<string, string | undefined>>

/** The value of a variable; undefined if there is none. */
export function ownVariable(variables: Variables, name: string): string | undefined {
  return Object.hasOwn(variables, name) ? variables[name] : undefined
}
