// The exports of the package.

export { asCompleted, type CompletionIterator } from './futures/as-completed.js'
export { AsyncResult, type ResultCallbacks } from './pool/async-result.js'
export {
  BindingError,
  type BindingFailure,
  BrokenExecutor,
  BrokenProcessPool,
  type BrokenProcessPoolDetails,
  CancelledError,
  type ErrorDetails,
  ForkUnsafeError,
  InvalidStateError,
  MillraceError,
  NestingError,
  PoolTerminatedError,
  QueueFullError,
  RemoteError,
  type RemoteOrigin,
  SerializationError,
  ShutdownError,
  TaskExitError,
  TaskLoadError,
  TaskMemoryError,
  TaskTimeoutError,
  TimeoutError,
  UnsupportedPlatformError,
  type WorkerDeath,
  type WorkerDeathTask,
  WorkerDiedError,
  WorkerSpawnError,
  WorkerTerminatedError,
} from './errors/index.js'
export { Executor, type ExecutorShutdownOptions } from './executor/executor.js'
export {
  Finalize,
  type FinalizeOptions,
  type FinalizeOptionsFor,
  runFinalizers,
  runFinalizersAsync,
} from './finalizers/index.js'
export { type ForkSafety, forkSafety } from './start/fork-safety.js'
export {
  type CancelOptions,
  Future,
  type FutureOutcome,
  type FutureState,
  type TimeoutOptions,
  type WaitOptions,
} from './futures/future.js'
export type { ReadyOptions } from './futures/wait-options.js'
export { ImapIterator } from './pool/imap-iterator.js'
export { MapIterator } from './map/iterator.js'
export type { MapOptions } from './map/options.js'
export type { ItemOutcome } from './map/outcome.js'
export type { RetryOptions } from './futures/retry-policy.js'
export type { NeededInitargs, ProcessPoolOptions } from './host/options.js'
export { type ArgumentsOf, type ImapOptions, type MapAsyncOptions, Pool, type PoolOptions } from './pool/pool.js'
export { ProcessPoolExecutor } from './executor/process-pool-executor.js'
export type { RunOptions } from './executor/run-options.js'
export type { ShutdownOptions } from './executor/shutdown.js'
export type { ProcessPoolEvents, WorkerExitReason } from './host/events.js'
export { SharedBuffer } from './memory/shared-buffer.js'
export { getContext, type StartContext } from './start-context.js'
export {
  getAllStartMethods,
  getStartMethod,
  setStartMethod,
  type SetStartMethodOptions,
  type StartMethod,
} from './start/methods.js'
export type { PoolStats, WorkerStats } from './host/stats.js'
export { defineTasks, type ImportedTasks, importTasks, type TaskFunction } from './tasks/index.js'
export type { AsyncItems } from './util/async-items.js'
export { wait, type WaitForOptions, type WaitResult } from './futures/wait.js'
export { isWorker, taskContext, type TaskContext } from './tasks/context.js'
