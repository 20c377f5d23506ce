import workerpool from 'workerpool'

import { functions } from '../functions.mjs'

workerpool.worker(functions)
