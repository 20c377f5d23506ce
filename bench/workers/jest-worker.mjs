import { functions } from '../functions.mjs'

export const { add, echo, incrementAll, spin, rest, restAndCount, etl } = functions
