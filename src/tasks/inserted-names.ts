// Names that build and coverage tools insert into the text of functions. In a function that travels as source text they
// stand for nothing: the tool has defined them in the module around the function.

/** The helper of esbuild and tsx that keeps the names of functions. A bundle may have several, with numbers. */
const NAME_HELPER = /\b__name\d*\b/g

/** The names of esbuild's helper in a text. */
export function nameHelpersOf(source: string): string[] {
  return [...new Set(source.match(NAME_HELPER))]
}

/** Esbuild's helper: names a function or class, and returns it. */
export function nameHelper(target: object, value: string): object {
  return Object.defineProperty(target, 'name', { value, configurable: true })
}

const INSERTED = new RegExp(
  [
    // Helpers of esbuild, TypeScript, webpack, Turbopack and Vite; istanbul's counters of old.
    '__',
    // Helpers of Babel and SWC, and the names that they give to imports and to the bodies of async functions.
    '^_[A-Za-z]',
    // Istanbul, Stryker, and the imports of esbuild.
    '^(?:cov|stry[A-Z][A-Za-z]*|import)_',
    // TypeScript's imports; what Rollup and Parcel have renamed.
    String.raw`_\d+$|\$\d+$|^\$.*\$`,
    '^(?:tslib|regeneratorRuntime|babelHelpers|parcelRequire.*|commonjsGlobal|getDefaultExportFromCjs)$',
  ].join('|'),
)

/** Whether a name looks like one that a tool has inserted. */
export function looksInserted(name: string): boolean {
  return INSERTED.test(name)
}

const OF_MODULES = new Set(['require', 'module', 'exports', '__dirname', '__filename'])

/** Whether a name is one that Node defines in each CommonJS module. */
export function isOfModules(name: string): boolean {
  return OF_MODULES.has(name)
}
