// The process of one contender that is JavaScript: node host.mjs NAME PLAN. Prints its figures, by case, as one line of JSON.

import { cases } from './cases.mjs'
import { load } from './contenders/index.mjs'

const [, , name = '', text = ''] = process.argv
/** @type {import('./measure.mjs').Plan & { cases: string[] }} */
const plan = JSON.parse(text)
const contender = await load(name)
if (contender.start === undefined) throw new Error(`${name} does not run in JavaScript`)
const session = await contender.start(plan)

/** @type {Record<string, Record<string, number>>} */
const figures = {}
for (const id of plan.cases) {
  const found = await cases[id]?.run(session, plan)
  if (found !== undefined) figures[id] = found
}
await session.stop()
console.log(JSON.stringify(figures))
