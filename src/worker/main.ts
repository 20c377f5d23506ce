// The entry of a worker process that was spawned. Its last argument describes the lane that it was started with.

import { runWorker } from './run.js'

// Nested pools and tasks that look at their arguments see those of a plain script.
runWorker(process.argv.pop() ?? '')
