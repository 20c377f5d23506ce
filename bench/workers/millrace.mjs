import { functions } from '../functions.mjs'

export const { add, echo, increment, spin, rest, restAndCount, etl } = functions
