// The module of Millrace's workers: its exports are the tasks.

import { functions } from '../functions.mjs'

export const { add, echo, increment, incrementAll, spin, rest, restAndCount, etl } = functions
