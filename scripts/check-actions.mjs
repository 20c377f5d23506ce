// Fails for a workflow that uses an action by a name that can move, such as a tag: by the hash of a commit, with the
// version behind it in a comment, the same code runs each time. Workflows of this repository are used by their path.

import { readFileSync, readdirSync } from 'node:fs'

const FOLDER = '.github/workflows'
const PINNED = /^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/
const OWN = /^\.\/\S+$/

for (const file of readdirSync(FOLDER)) {
  const lines = readFileSync(`${FOLDER}/${file}`, 'utf8').split('\n')
  for (const [index, line] of lines.entries()) {
    const used = /^\s*(?:- )?uses:\s*(.*)$/.exec(line)?.[1]
    if (used === undefined || OWN.test(used) || PINNED.test(used)) continue
    console.error(`${FOLDER}/${file}:${index + 1}: ${used} is not pinned: owner/action@<hash of the commit> # v1.2.3`)
    process.exitCode = 1
  }
}
