// The places of the package's own files: the native addon and the entries of the processes that a pool starts.
//
// This file stays at the top of `src/`. The bundler puts the code that several entries share into chunks at the top of
// `dist/`, and from there `import.meta.url` has to lead to `../native/` and to the entries as well.

type Binding = typeof import('../native/binding.cjs')

// Without `import`: see `util/builtins.ts`.
const { createRequire } = process.getBuiltinModule('node:module')
const { dirname, join } = process.getBuiltinModule('node:path')
const { fileURLToPath } = process.getBuiltinModule('node:url')

const load = createRequire(import.meta.url)

/** Variables by which the generated loader is told to choose otherwise, or to check what it has chosen. */
const CHOICES = ['NAPI_RS_NATIVE_LIBRARY_PATH', 'NAPI_RS_FORCE_WASI', 'NAPI_RS_ENFORCE_VERSION_CHECK']

/**
 * Loads the native addon. The generated loader knows all platforms and says what is wrong, but takes a worker a
 * millisecond more than the addon itself. So the usual binary is loaded without it, from where it would be found first.
 */
export function requireBinding(): Binding {
  const target = usualTarget()
  if (target !== undefined) {
    for (const place of [`../native/millrace.${target}.node`, `@millrace/binding-${target}`]) {
      try {
        return load(place) as Binding
      } catch {
        // There is none, or it does not run here.
      }
    }
  }
  return load('../native/binding.cjs') as Binding
}

/** The name of the binary for Linux with glibc. Undefined on any other system, or when the system is not known. */
function usualTarget(): string | undefined {
  const { arch, env, platform } = process
  if (platform !== 'linux' || (arch !== 'x64' && arch !== 'arm64')) return undefined
  if (CHOICES.some((name) => env[name] !== undefined)) return undefined
  try {
    // The sign by which the generated loader tells musl.
    const isMusl = process.getBuiltinModule('node:fs').readFileSync('/usr/bin/ldd', 'utf8').includes('musl')
    return isMusl ? undefined : `linux-${arch}-gnu`
  } catch {
    return undefined
  }
}

/** The folder of all entries. */
export function entryFolder(): string {
  return beside('/')
}

/** The program of a worker process. */
export function workerEntry(): string {
  return beside('worker/main.js')
}

/** The program of a fork server. */
export function serverEntry(): string {
  return beside('start/server/main.js')
}

// Without `URL`: a program may have replaced that global, and no folder lies below this file.
function beside(path: string): string {
  return join(dirname(fileURLToPath(import.meta.url)), path)
}
