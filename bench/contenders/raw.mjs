// The session of both floors with workers: calls go to the workers in turn, and an answer is a message with the call's
// number. The workers run workers/raw.mjs.

import { untilOver } from '../measure.mjs'

/**
 * @param {((message: unknown) => unknown)[]} sends - One function for each worker.
 * @param {() => Promise<void>} stop
 * @returns {{ session: import('./index.mjs').Session, onAnswer: (answer: any) => void }}
 */
export function raw(sends, stop) {
  /** @type {Map<number, { resolve: (value: unknown) => void, reject: (error: unknown) => void }>} */
  const pending = new Map()
  /** @type {(() => void) | undefined} */
  let flooding
  let next = 0
  /** @param {string} name @param {unknown[]} args */
  const send = (name, args) => {
    sends[next % sends.length]?.([next, name, args])
    return next++
  }
  return {
    onAnswer([id, value, error]) {
      if (flooding !== undefined) return flooding()
      const call = pending.get(id)
      pending.delete(id)
      if (error === undefined) call?.resolve(value)
      else call?.reject(new Error(error))
    },
    session: {
      call: (name, args) =>
        new Promise((resolve, reject) => {
          pending.set(send(name, args), { resolve, reject })
        }),
      flood: (name, args, inFlight, limit) =>
        new Promise((resolve) => {
          const isOver = untilOver(inFlight, limit)
          let made = 0
          let answered = 0
          const make = () => {
            made++
            send(name, args)
          }
          flooding = () => {
            answered++
            if (!isOver(made)) return make()
            if (answered < made) return undefined
            flooding = undefined
            return resolve(answered)
          }
          for (let call = 0; call < inFlight && !isOver(made); call++) make()
        }),
      stop,
    },
  }
}
