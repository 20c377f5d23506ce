// SIGTERM and SIGHUP in a worker. Service managers and terminals send them to all processes of a program at once, but
// what they mean is for the host to decide: it may want to finish its calls first. So a worker heeds only what its host
// has announced, and what its own code sends. Listeners of tasks get every signal: they ask for that.

import { type Lane } from './lane.js'

const ENDING: ReadonlySet<string | symbol> = new Set(['SIGTERM', 'SIGHUP'])

/** Has signals ignored that neither the host nor this process sends. */
export function ignoreForeignSignals(lane: Lane): void {
  // With its last listener Node restores the default action, which would end this process.
  process.on('removeListener', (signal) => {
    if (ENDING.has(signal) && !isListenedTo()) lane.heedAnnouncedSignals()
  })
  // Modules that were loaded before may listen: their listeners stay.
  if (!isListenedTo()) lane.heedAnnouncedSignals()
}

function isListenedTo(): boolean {
  return process.listenerCount('SIGTERM') > 0 || process.listenerCount('SIGHUP') > 0
}
