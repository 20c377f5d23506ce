// Values and errors as text for messages. The values may be anything that was thrown or passed, so no function here
// throws.

import { inspect } from './builtins.js'

/** Characters of a short text; longer texts are cut. */
const LONGEST_TEXT = 500

/** A value as `inspect` shows it. Runs the value's own `inspect` method, and survives that this method throws. */
export function show(value: unknown): string {
  try {
    return inspect(value)
  } catch {
    return 'an error that cannot be shown'
  }
}

/**
 * A short text about a value: a string as it is, any other value as `inspect` shows it. Runs no code of the value's.
 */
export function shortText(value: unknown): string {
  try {
    const text =
      typeof value === 'string' ? value : inspect(value, { depth: 1, customInspect: false, breakLength: Infinity })
    return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`
  } catch {
    return `a value of type ${typeof value}`
  }
}

/** The message of an error; for any other thrown value a short text. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.message}` : shortText(thrown)
  } catch {
    return `a value of type ${typeof thrown}`
  }
}

/** `TypeError: message`, the text at the head of an error's stack; for any other thrown value a short text. */
export function headingOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : shortText(thrown)
  } catch {
    return `a value of type ${typeof thrown}`
  }
}

/** A text with its first letter in upper case, for the start of a sentence. */
export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
