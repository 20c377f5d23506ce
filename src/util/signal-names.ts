// Signals by number.

import { constants } from 'node:os'

// Some numbers have two names (SIGABRT and SIGIOT): Node lists the usual one first, and the last entry of a map wins.
const signalNames = new Map<number, NodeJS.Signals>(
  Object.entries(constants.signals)
    .map(([name, number]): [number, NodeJS.Signals] => [number, name as NodeJS.Signals])
    .reverse(),
)

/** A signal's name; the number of one that Node has no name for. */
export function signalName(signal: number | null | undefined): NodeJS.Signals | null {
  if (signal === null || signal === undefined) return null
  return signalNames.get(signal) ?? (`SIG${signal}` as NodeJS.Signals)
}
