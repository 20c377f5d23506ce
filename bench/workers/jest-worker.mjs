// The module of jest-worker's workers: its exports are the methods of the pool.

import { functions } from '../functions.mjs'

export const { add, echo, incrementAll, spin, rest, restAndCount, etl } = functions
