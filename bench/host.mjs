// The process that measures one JavaScript contender: node host.mjs NAME PLAN. It prints one line of JSON when a case
// is over: { "case": …, "figures": … }, without figures if the case does not apply, or with "failed" and the reason.

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
    // The state of this process is unknown now: the remaining cases get a new process.
    process.exit(1)
  }
}
await stop()
