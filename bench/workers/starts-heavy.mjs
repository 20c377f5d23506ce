// The same in workers that have a large program loaded: the TypeScript compiler.

import typescript from 'typescript'

export { allocate, compute, pid, stay } from './starts.mjs'
export const { version } = typescript
// The newer one, which the repository itself uses, is a program of another language behind a few lines.
if (!version.startsWith('5.')) throw new Error(`TypeScript ${version} is loaded, not that of bench/: npm ci there`)
