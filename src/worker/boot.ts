// The boot of a worker: the modules to preload and the initializer, before the first call.

import { decodeArguments } from '../codec/index.js'
import { decodeBootPlan } from '../wire/index.js'
import { explainClosure } from './failure.js'
import type { Lane } from './lane.js'
import type { Task, TaskCache } from './task-cache.js'

/** Carries out the boot plan in the payload of the boot call. Rejects with the first error. */
export async function boot(lane: Lane, tasks: TaskCache): Promise<void> {
  const { codec } = lane
  const { plan, initargs: encoded } = decodeBootPlan(lane.payload())
  const at = plan.ownOption === undefined ? -1 : process.execArgv.indexOf(plan.ownOption)
  if (at >= 0) process.execArgv.splice(at, 1)
  if (plan.notesFullHeap === true && !writesHeapSnapshots()) lane.noteFullHeap()
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

/** Whether V8 is to call Node when the heap is full. V8 calls one function only. */
function writesHeapSnapshots(): boolean {
  const options = `${process.execArgv.join(' ')} ${process.env.NODE_OPTIONS ?? ''}`
  return /--heapsnapshot[-_]near[-_]heap[-_]limit/.test(options)
}
