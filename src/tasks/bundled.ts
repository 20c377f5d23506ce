// Advice for what bundlers make of a task module: its URL is missing, or leads to no file.

/** What `defineTasks` takes; completes "must be …". CommonJS has no `import.meta`, also where a bundler has made it. */
export const MODULE_URL =
  "the module's import.meta.url, or __filename in CommonJS (a bundler that makes CommonJS leaves import.meta.url " +
  'empty: have it make an ES module, or with esbuild --define:import.meta.url=__filename)'

/** Follows the error of a task module whose file does not exist. */
export const NO_SUCH_FILE =
  'There is no such file. In a bundled program, a module that importTasks names has to be an entry of its own; and ' +
  'defineTasks needs an import.meta.url that is not the address of a source file: webpack and Rspack leave it alone ' +
  'with module.parser.javascript.importMeta: false'
