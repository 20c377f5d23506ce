// A worker that dies at a step of a chunk: outcomes of finished items are delivered, at most the item that ran is lost,
// and none runs twice. A host program runs the chunks.

import anyTest, { type ExecutionContext } from 'ava'
import { faultsBinding } from './helpers/faults.js'
import { startHost } from './helpers/hosts.js'

const test = anyTest.serial

interface Combination {
  point: string
  where: 'first' | 'middle' | 'last'
  size: 'scalar' | 'object' | 'rest'
  policy: 'isolate' | 'break'
  later: boolean
}

type Died = Combination & { failed: number; deaths: number; problems: string[] }

async function run(t: ExecutionContext, combinations: Combination[], env: Record<string, string> = {}): Promise<void> {
  const host = startHost(t, 'chunk-faults', combinations, { env })
  let [failed, deaths] = [0, 0]
  for (const combination of combinations) {
    const { problems, ...result } = await host.line<Died>()
    t.like(result, combination)
    t.deepEqual(problems, [], JSON.stringify(result))
    failed += result.failed
    deaths += result.deaths
  }
  t.deepEqual(await host.ended(), { code: 0, signal: null }, host.errors)
  await host.vanished()
  t.log(`${combinations.length} combinations, ${deaths} deaths, ${failed} items failed`)
}

function combinationsAt(point: string, sizes: Combination['size'][], wheres: Combination['where'][]): Combination[] {
  return sizes.flatMap((size) =>
    wheres.map((where, at) => ({ point, where, size, policy: 'isolate' as const, later: at === 1 })),
  )
}

const everywhere: Combination['where'][] = ['first', 'middle', 'last']

/** The sizes of outcomes that reach each step, and the places of an item at which the step makes a difference. */
const steps: [point: string, step: string, sizes: Combination['size'][], wheres?: Combination['where'][]][] = [
  ['before-begin', 'before a chunk begins', ['scalar'], ['first']],
  ['begun', 'before the first item of a chunk is called', ['scalar'], ['first']],
  ['headed', 'behind the head of an outcome', ['object', 'rest']],
  ['kept', 'behind the bytes of an outcome', ['scalar', 'object']],
  ['ended', 'between the end of an outcome and the step to the next item', ['scalar', 'object', 'rest']],
  ['advanced', 'before the next item is called', ['scalar', 'object', 'rest']],
  ['before-answer', 'before a chunk is answered', ['scalar'], ['last']],
  ['before-answer', 'before a chunk is answered with an outcome beside the journal', ['rest']],
  ['answered', 'behind the answer of a chunk', ['scalar', 'rest'], ['last']],
  ['closed', 'behind the end of a chunk', ['scalar', 'rest'], ['last']],
]

for (const [point, step, sizes, wheres = everywhere] of steps) {
  test(`a worker that dies ${step} costs at most the item that it ran`, async (t) => {
    t.timeout(600_000)
    const combinations = combinationsAt(point, sizes, wheres)
    // A pool that breaks delivers what was finished before.
    const breaking = { ...combinations.at(-1)!, policy: 'break' as const }
    await run(t, [...combinations, breaking])
  })
}

test('when each worker dies between the claim of a chunk and its first item, each item fails with such a death', async (t) => {
  t.timeout(600_000)
  const points = ['after-claim', 'mid-args', 'before-call']
  const combinations = points.flatMap((point) => combinationsAt(`native:${point}`, ['scalar'], ['first']))
  await run(t, combinations, { NAPI_RS_NATIVE_LIBRARY_PATH: await faultsBinding() })
})

test('a worker that dies while it commits the answer of a chunk costs at most the item beside the journal', async (t) => {
  t.timeout(600_000)
  const points = ['result-reserved', 'mid-result', 'before-commit', 'before-ring', 'after-ring']
  const combinations = points.flatMap((point) => combinationsAt(`native:${point}`, ['object', 'rest'], ['middle']))
  await run(t, combinations, { NAPI_RS_NATIVE_LIBRARY_PATH: await faultsBinding() })
})
