// The refusal of a runtime in which the package cannot run: Bun, Deno, an old Node, a bundle that is no ES module.

import { BindingError } from './errors/binding.js'

/**
 * Throws if this is no Node that the package knows. To be called before anything else: an old Node lacks functions that
 * the package takes when it is loaded, and Bun aborts when the addon is loaded.
 */
export function refuseForeignRuntime(): void {
  const { bun, deno, node = '0' } = process.versions
  const foreign = bun !== undefined ? `Bun ${bun}` : deno === undefined ? undefined : `Deno ${deno}`
  if (foreign !== undefined) {
    throw new BindingError(
      `Millrace does not run in ${foreign}: workers and their native addon need the event loop of Node.js. ` +
        'Run the program by node, version 20.19 or newer',
      { reason: 'runtime' },
    )
  }
  const [major = 0, minor = 0] = node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19)) {
    throw new BindingError(
      `Millrace needs Node.js 20.19 or newer, and this is Node.js ${node} (${process.execPath}). Install a newer ` +
        'Node.js',
      { reason: 'runtime' },
    )
  }
  if ((import.meta.url as string | undefined) === undefined) {
    throw new BindingError(
      'A bundler has put Millrace into a CommonJS file, and Millrace cannot know where its own files are. Workers ' +
        'are started from the files of the package: declare millrace as external in the bundler',
      { reason: 'bundled' },
    )
  }
}
