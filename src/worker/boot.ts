// The boot of a worker: the modules to preload and the initializer, before the first call.

import { decodeArguments } from '../codec/index.js'
import { decodeBootPlan } from '../wire/index.js'
import { explainClosure } from './failure.js'
import type { Task, TaskCache } from './task-cache.js'

/** Carries out the boot plan. Rejects with the first error. */
export async function boot(codec: number, payload: Uint8Array, tasks: TaskCache): Promise<void> {
  const { plan, initargs: encoded } = decodeBootPlan(payload)
  // A copy: the payload's memory is used again before the initializer reads its arguments.
  const initargs = plan.initializer && decodeArguments(codec, encoded.slice())
  for (const url of plan.preload) await tasks.importModule(url)
  if (plan.initializer !== undefined) {
    const initializer: Task = await tasks.resolve(plan.initializer)
    try {
      await initializer(...(initargs as never[]))
    } catch (error) {
      throw plan.initializer.form === 'source' ? explainClosure(error) : error
    }
  }
}
