// The process of one contender that is JavaScript: node host.mjs NAME PLAN. Prints one line of JSON for each case, as
// soon as it is over: { "case": …, "figures": … }, without figures if there is no such thing, or with "failed" and the
// reason.

import { cases } from './cases.mjs'
import { load } from './contenders/index.mjs'
import { startWarm } from './measure.mjs'

const [, , name = '', text = ''] = process.argv
/** @type {import('./measure.mjs').Plan & { cases: string[] }} */
const plan = JSON.parse(text)
const contender = await load(name)

/** @type {import('./contenders/index.mjs').Session | undefined} */
let session

const stop = async () => {
  await session?.stop()
  session = undefined
}

/** @param {import('./cases.mjs').Case} found */
async function measure({ run, alone, local = false }) {
  if (contender.local && !local) return undefined
  if (alone !== undefined) {
    await stop()
    return await alone(contender, plan)
  }
  session ??= await startWarm(contender, plan)
  return await run?.(session, plan)
}

for (const id of plan.cases) {
  const found = cases[id]
  if (found === undefined) continue
  try {
    console.log(JSON.stringify({ case: id, figures: await measure(found) }))
  } catch (error) {
    console.log(JSON.stringify({ case: id, failed: String(error instanceof Error ? error.message : error) }))
    // What it is in now nobody knows: the cases that are left get a new process.
    process.exit(1)
  }
}
await stop()
