// What a contender is, and all of them. Each is the default export of a file of its own in this directory.

/**
 * @typedef {object} Contender
 * @property {string} title
 * @property {() => Promise<string> | string} version - What exactly was measured. Throws, with the reason, when it is not
 *   there: it is then skipped with that as the note.
 * @property {(plan: import('../measure.mjs').Plan) => Promise<Session>} [start] - Starts it in this process.
 * @property {(plan: import('../measure.mjs').Plan, cases: string[]) => [program: string, args: string[]]} [command] - Instead,
 *   for what is not JavaScript: a program that measures the cases by itself and prints what host.mjs prints.
 */

/**
 * @typedef {object} Session
 * @property {(name: string, args: unknown[]) => PromiseLike<unknown>} call - Calls a function of functions.mjs.
 * @property {(name: string, args: unknown[], inFlight: number, milliseconds: number) => Promise<number>} [flood] - Keeps so many
 *   calls in flight for so long and resolves to their number. Only for what has no promises; else it is done with `call`.
 * @property {(name: string, items: number[]) => Promise<number>} [map] - The sum of what the function makes of the items.
 * @property {() => Promise<void> | void} stop
 */

/** In the order of the report: floors first. */
export const contenders = ['inline', 'postmessage', 'millrace', 'cpython']

/**
 * @param {string} name
 * @returns {Promise<Contender>}
 */
export async function load(name) {
  if (!contenders.includes(name)) throw new Error(`There is no contender '${name}', only ${contenders.join(', ')}`)
  return (await import(`./${name}.mjs`)).default
}
