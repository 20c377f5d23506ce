// The same in workers that have a large program loaded: the TypeScript compiler.

import typescript from 'typescript'

export { allocate, compute, pid, stay } from './starts.mjs'
export const { version } = typescript
