// The executor over worker processes, as its users see it:
//
//   submit(fn, …args) ──► CallFuture ──► PoolCore ──► native pool ══ shared memory ══► worker k: take, run, post
//        ▲                                  │
//        └── settles ◄── decode ◄── drain ◄─┘   one callback on Node's event loop
//
// This class checks, and hands over to its `PoolCore`. Only users hold it: when they let go of it without `shutdown()`,
// its calls still finish, and then its workers leave.

import { EventEmitter } from 'node:events'

import { CallFuture } from './call-future.js'
import type { BrokenProcessPool, MillraceError } from './errors.js'
import { CancelledError, TimeoutError } from './errors.js'
import { Executor } from './executor.js'
import type { Future } from './future.js'
import type { MapIterator, MapOptions } from './map-iterator.js'
import { type ProcessPoolOptions, resolveOptions } from './options.js'
import { PoolCore } from './pool-core.js'
import type { PoolStats } from './stats.js'
import type { TaskFunction } from './tasks.js'
import { invalidType, validateBoolean, validateNumber } from './validate.js'
import { CallFlag } from './wire.js'
