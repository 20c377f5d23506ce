// The tasks of the warm pool, and the state of each worker: a spelling corrector that has read a book.
// After Peter Norvig, https://norvig.com/spell-correct.html

import { readFile } from 'node:fs/promises'
import { defineTasks, taskContext } from 'millrace'

const LETTERS = [...'abcdefghijklmnopqrstuvwxyz']

/**
 * How often each word is used. A variable of the module: each worker has one of its own, for all its calls.
 *
 * @type {Map<string, number>}
 */
const counts = new Map()

export const { readBooks, correct, isReady } = defineTasks(import.meta.url, {
  /**
   * The initializer. If it throws, the worker does not get ready, and the pool tells why.
   *
   * @param {string[]} paths
   */
  async readBooks(...paths) {
    for (const path of paths) {
      const text = await readFile(path, 'utf8')
      for (const [word] of text.toLowerCase().matchAll(/[a-z]+/g)) counts.set(word, (counts.get(word) ?? 0) + 1)
    }
    if (counts.size === 0) throw new Error('the books have no words')
  },

  /** @param {string} word */
  correct(word) {
    const candidates = counts.has(word) ? [word] : edits(word).filter((candidate) => counts.has(candidate))
    return candidates.reduce((best, each) => ((counts.get(each) ?? 0) > (counts.get(best) ?? 0) ? each : best), word)
  },

  isReady: () => taskContext()?.workerId,
})

/**
 * All words that are one slip away: a letter too much, two exchanged, one wrong, one missing.
 *
 * @param {string} word
 */
function edits(word) {
  const cuts = Array.from({ length: word.length + 1 }, (_, at) => [word.slice(0, at), word.slice(at)])
  return cuts.flatMap(([head, tail]) => [
    head + tail.slice(1),
    ...(tail.length > 1 ? [head + tail.charAt(1) + tail.charAt(0) + tail.slice(2)] : []),
    ...LETTERS.map((letter) => head + letter + tail.slice(1)),
    ...LETTERS.map((letter) => head + letter + tail),
  ])
}
