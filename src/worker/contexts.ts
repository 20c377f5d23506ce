// The async contexts of tasks: one for each call and for each item of a chunk.
//
// `AsyncLocalStorage.run()` restores the store that it has set, and no other: after a task's `enterWith()` the code
// that runs next would find the task's store. So no task runs in the context of the loop.
//
// Up to Node 23 the stores are properties of the async resource that runs; then each task needs a resource of its own.
// From Node 24 on the stores are a frame, which a resource restores; then one resource does for all, and `run()` costs
// most, because it copies the frame.

import type { RunningTask } from '../tasks/context.js'
import { AsyncLocalStorage, AsyncResource } from '../util/builtins.js'
import type { Task } from './task-cache.js'

type Origin = AsyncLocalStorage<RunningTask>
type AnyTask = (...args: unknown[]) => unknown

/** Calls the items of one chunk, each in an async context of its own. */
export interface ItemContexts {
  /** Calls a task with a list of arguments. */
  call(task: Task, args: readonly unknown[]): unknown
  /** Calls a task with one argument. */
  callUnary(task: Task, item: unknown): unknown
}

export class Contexts {
  readonly #origin: Origin
  readonly #root = new AsyncResource('MillraceTask')
  readonly #restores = restoresStores()
  /**
   * Makes a resource that inherits its number and its stores from the first one, which runs nothing itself then. This
   * is a quarter of the cost of an `AsyncResource`, whose construction goes through the hooks of each store.
   */
  readonly #Resource = function (): void {} as unknown as new () => AsyncResource

  /** Makes a resource that also has an origin; undefined where the origin's store is no property of a resource. */
  readonly #Originated: (new (running: RunningTask) => AsyncResource) | undefined

  /** The stores of the calling code are those with which every task begins. */
  constructor(origin: Origin) {
    this.#origin = origin
    this.#Resource.prototype = this.#root
    this.#Originated = this.#restores ? undefined : originatedBy(this.#root, origin)
  }

  /** Calls a task with a list of arguments. The code that stems from the call has `running` as its origin. */
  call(running: RunningTask, task: Task, args: readonly unknown[]): unknown {
    return this.#fresh().runInAsyncScope(callWithList, undefined, this.#origin, running, task, args)
  }

  /** The contexts of a chunk's items, which have `running` as their origin. */
  ofItems(running: RunningTask): ItemContexts {
    if (this.#Originated !== undefined) return new SeparateItems(this.#Originated, running)
    return new RestoredItems(() => {
      return this.#fresh().runInAsyncScope(() => this.#origin.run(running, () => new AsyncResource('MillraceItem')))
    }, this.#restores)
  }

  /** Calls code of the worker's own that may run a program's: the evaluation of a module belongs to no task. */
  callApart<T>(code: () => T): T {
    return this.#fresh().runInAsyncScope(code)
  }

  #fresh(): AsyncResource {
    return this.#restores ? this.#root : new this.#Resource()
  }
}

/** Whether a resource restores the stores that it had, whatever the code has entered that it ran before. */
function restoresStores(): boolean {
  const store = new AsyncLocalStorage<boolean>()
  const probe = new AsyncResource('MillraceProbe')
  probe.runInAsyncScope(() => store.enterWith(true))
  const found = probe.runInAsyncScope(() => store.getStore())
  store.disable()
  return found === undefined
}

/**
 * Resources that inherit from `root` and have the store of the origin as a property. Nothing but its value tells the
 * property: undefined when it is not found.
 */
function originatedBy(root: AsyncResource, origin: Origin): (new (running: RunningTask) => AsyncResource) | undefined {
  const mark = {} as RunningTask
  const marked = origin.run(mark, () => new AsyncResource('MillraceProbe'))
  const key = Object.getOwnPropertySymbols(marked).find((symbol) => Reflect.get(marked, symbol) === mark)
  if (key === undefined) return undefined
  const Originated = function (this: Record<symbol, unknown>, running: RunningTask): void {
    this[key] = running
  }
  Originated.prototype = root
  return Originated as unknown as new (running: RunningTask) => AsyncResource
}

/** Each item has a new resource. */
class SeparateItems implements ItemContexts {
  readonly #Resource: new (running: RunningTask) => AsyncResource
  readonly #running: RunningTask

  constructor(Resource: new (running: RunningTask) => AsyncResource, running: RunningTask) {
    this.#Resource = Resource
    this.#running = running
  }

  call(task: Task, args: readonly unknown[]): unknown {
    return new this.#Resource(this.#running).runInAsyncScope(task as AnyTask, undefined, ...args)
  }

  callUnary(task: Task, item: unknown): unknown {
    return new this.#Resource(this.#running).runInAsyncScope(task as AnyTask, undefined, item)
  }
}

/** All items have one resource, or each has one of the same making where a resource does not restore its stores. */
class RestoredItems implements ItemContexts {
  readonly #make: () => AsyncResource
  readonly #resource: AsyncResource | undefined

  constructor(make: () => AsyncResource, restores: boolean) {
    this.#make = make
    this.#resource = restores ? make() : undefined
  }

  call(task: Task, args: readonly unknown[]): unknown {
    return (this.#resource ?? this.#make()).runInAsyncScope(task as AnyTask, undefined, ...args)
  }

  callUnary(task: Task, item: unknown): unknown {
    return (this.#resource ?? this.#make()).runInAsyncScope(task as AnyTask, undefined, item)
  }
}

function callWithList(origin: Origin, running: RunningTask, task: Task, args: readonly unknown[]): unknown {
  return origin.run(running, task, ...(args as never[]))
}
