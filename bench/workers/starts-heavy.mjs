// The tasks of starts.mjs in workers that load a large program: the TypeScript compiler.

import typescript from 'typescript'

export { allocate, compute, pid, stay, used } from './starts.mjs'
export const { version } = typescript
// The repository itself uses a newer TypeScript, which is a native program behind a few lines of JavaScript.
if (!version.startsWith('5.')) throw new Error(`TypeScript ${version} is loaded, not that of bench/: npm ci there`)
