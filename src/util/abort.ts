// Abort signals: their check, and reactions to their aborts. All reactions to a signal share one listener: Node warns
// of more than ten.

import { invalidType } from './validate.js'

/** Called when a signal is aborted. */
export interface AbortReaction {
  aborted(reason: unknown): void
}

/** @throws TypeError unless `signal` is an AbortSignal, of Node's class or of a class that imitates a browser's. */
export function validateSignal(signal: unknown, name: string): asserts signal is AbortSignal {
  if (typeof signal === 'object' && signal !== null) {
    const { aborted, addEventListener, removeEventListener } = signal as Partial<AbortSignal>
    if (typeof aborted === 'boolean' && typeof (addEventListener && removeEventListener) === 'function') return
  }
  throw invalidType(name, 'an AbortSignal', signal)
}

/** The reactions to each signal, oldest first. */
const reactionsTo = new WeakMap<AbortSignal, Set<AbortReaction>>()

/**
 * Has `reaction` told of the abort of a signal. A signal that is aborted already tells nobody: the caller has looked.
 */
export function onAbort(signal: AbortSignal, reaction: AbortReaction): void {
  let reactions = reactionsTo.get(signal)
  if (reactions === undefined) {
    reactionsTo.set(signal, (reactions = new Set()))
    signal.addEventListener('abort', tell, { once: true })
  }
  reactions.add(reaction)
}

/** Takes a reaction back, with the listener if no other reaction is left. */
export function offAbort(signal: AbortSignal, reaction: AbortReaction): void {
  const reactions = reactionsTo.get(signal)
  if (reactions?.delete(reaction) !== true || reactions.size > 0) return
  reactionsTo.delete(signal)
  signal.removeEventListener('abort', tell)
}

function tell(event: Event): void {
  const signal = event.target as AbortSignal
  for (const reaction of reactionsTo.get(signal) ?? []) reaction.aborted(signal.reason)
}
