// All contenders, in the order of the report: floors first.

export const contenders = ['inline', 'postmessage', 'millrace', 'cpython']

/**
 * @param {string} name
 * @returns {Promise<import('./contender.mjs').Contender>}
 */
export async function load(name) {
  if (!contenders.includes(name)) throw new Error(`There is no contender '${name}', only ${contenders.join(', ')}`)
  return (await import(`./${name}.mjs`)).default
}
