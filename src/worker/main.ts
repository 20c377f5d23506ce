// The entry of a spawned worker process. The last argument describes the worker's lane.

import { arriveAtEntry } from '../tasks/entry.js'
import { leaveTerminalAlone, runWorker } from './run.js'

arriveAtEntry()
leaveTerminalAlone()
// The argument is removed: nested pools, and tasks that look at their arguments, see those of a plain script.
runWorker(process.argv.pop() ?? '')
