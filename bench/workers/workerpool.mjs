// The module of workerpool's workers.

import workerpool from 'workerpool'

import { functions } from '../functions.mjs'

workerpool.worker(functions)
