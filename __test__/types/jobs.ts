// A task module of which only the types are used.

export const limit = 10

export const parse = (line: string): number => Number(line)

export default function grow(n: bigint): bigint {
  return n ** 2n
}
