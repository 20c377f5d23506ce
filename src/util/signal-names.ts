// The names of signals, looked up by number.

import { constants } from 'node:os'

// Some numbers have two names (SIGABRT and SIGIOT). Node lists the usual name first, but in a Map the last entry of a
// key wins: hence `reverse`.
const signalNames = new Map<number, NodeJS.Signals>(
  Object.entries(constants.signals)
    .map(([name, number]): [number, NodeJS.Signals] => [number, name as NodeJS.Signals])
    .reverse(),
)

/** The name of a signal; `SIG` and the number where Node knows no name; null for no signal. */
export function signalName(signal: number | null | undefined): NodeJS.Signals | null {
  if (signal === null || signal === undefined) return null
  return signalNames.get(signal) ?? (`SIG${signal}` as NodeJS.Signals)
}
