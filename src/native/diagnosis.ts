// Why the native addon was not loaded, and what to do: from the errors of Node and of the system's dynamic loader.

import { bundle, installedManifest, PACKAGED, packageOf } from '../binaries.js'
import { BindingError, type BindingFailure } from '../errors/binding.js'
import { messageOf } from '../util/text.js'

/** The oldest glibc for which the binaries are linked. */
const GLIBC = '2.17'

const PLATFORMS = 'Linux (x64, arm64; glibc, musl) and macOS (x64, arm64)'
const BUILD = 'To build a binary, clone the repository and run `npm run build` there (Rust 1.88 or newer)'
const REINSTALL = 'Remove node_modules and install again'

/** Processors for which Node is a 32 bit program. */
const NARROW = new Set(['arm', 'ia32', 'mips', 'mipsel', 'ppc', 's390'])

/** What was tried. */
export interface Attempt {
  /** The platform of the binary; undefined for a file that `NAPI_RS_NATIVE_LIBRARY_PATH` names. */
  target: string | undefined
  /** A name for the place of the binary. */
  where: string
  error: unknown
}

interface Finding {
  reason: BindingFailure
  text: string
}

/** The error of a binding that none of these attempts has loaded. */
export function bindingError(attempts: readonly Attempt[]): BindingError {
  const findings = attempts.map((attempt) => ({ attempt, ...findingOf(attempt) }))
  // The binary that is there tells more than the one that is not.
  const telling = findings.find(({ reason }) => reason !== 'missing') ?? findings[0]!
  const errors = attempts.map(({ error }) => error)
  return failure(telling, errors.length === 1 ? errors[0] : new AggregateError(errors, 'Several binaries were tried'))
}

/** The error of a binary of another version. */
export function versionError(found: unknown, expected: string, where: string): BindingError {
  const version = typeof found === 'string' ? `of version ${found}` : 'of an unknown version'
  const isPackage = where.startsWith('@')
  return failure({
    reason: 'version',
    text:
      `${where} is ${version}, and millrace is of version ${expected}; both have to be of the same version. ` +
      (isPackage ? `${REINSTALL}; do not override the version of one of them` : 'Build the binary again'),
  })
}

function failure({ reason, text }: Finding, ...cause: unknown[]): BindingError {
  const { platform, arch, version } = process
  const message = `Millrace cannot load its native addon on ${platform}-${arch} with Node.js ${version}: ${text}`
  return new BindingError(message, cause.length === 0 ? { reason } : { reason, cause: cause[0] })
}

function findingOf(attempt: Attempt): Finding {
  const code = (attempt.error as NodeJS.ErrnoException | undefined)?.code
  if (code === 'ERR_DLOPEN_DISABLED') return { reason: 'permission', text: disabledText() }
  if (code === 'ERR_ACCESS_DENIED') return { reason: 'permission', text: deniedText(attempt) }
  if (attempt.target !== undefined && !PACKAGED.includes(attempt.target) && code === 'MODULE_NOT_FOUND') {
    return { reason: 'platform', text: platformText() }
  }
  if (code === 'MODULE_NOT_FOUND') return missing(attempt)
  if (code === 'ERR_DLOPEN_FAILED') return refusal(attempt)
  return { reason: 'other', text: `${attempt.where}: ${messageOf(attempt.error)}` }
}

/** Node loads no addons at all. */
function disabledText(): string {
  // The property is there under the permission model only. `--no-addons` may stand in NODE_OPTIONS as well.
  return 'permission' in process && process.permission !== undefined
    ? 'Node.js runs under the permission model, and was not allowed to load addons. Add the option --allow-addons'
    : 'Node.js was started with --no-addons (on the command line, in NODE_OPTIONS, or in execArgv of a thread). ' +
        'Leave that option out'
}

function deniedText(attempt: Attempt): string {
  const { resource } = attempt.error as { resource?: unknown }
  return (
    `Node.js runs under the permission model, and may not read ${String(resource ?? attempt.where)}. ` +
    'Allow that by --allow-fs-read'
  )
}

function platformText(): string {
  const { platform, arch } = process
  if (platform === 'win32') {
    return (
      `there is no binary for Windows. There are binaries for ${PLATFORMS}: run the program in WSL 2, or in a Linux ` +
      'container'
    )
  }
  if (NARROW.has(arch)) {
    return `this Node.js is a 32 bit program. There are binaries for ${PLATFORMS}: install a 64 bit Node.js`
  }
  return `there is no binary for this platform. There are binaries for ${PLATFORMS}. ${BUILD}`
}

function missing({ target, where, error }: Attempt): Finding {
  if (target === undefined) return { reason: 'missing', text: `there is no ${where}` }
  const name = packageOf(target)
  if (installedManifest(target) !== undefined) {
    return { reason: 'damaged', text: `${name} is installed, but not whole: ${firstLine(error)}. ${REINSTALL}` }
  }
  const bundled = bundle()
  if (bundled !== undefined) {
    return {
      reason: 'bundled',
      text:
        `a bundler has put Millrace into ${bundled}, and there is no ${name}. Workers are started from the files of ` +
        'the package: declare millrace as external in the bundler, and install it beside the bundle',
    }
  }
  const others = PACKAGED.filter((other) => other !== target && installedManifest(other) !== undefined)
  if (others.length > 0) {
    return {
      reason: 'missing',
      text:
        `${name} is not installed, but ${others.map(packageOf).join(' and ')} is: this node_modules was installed ` +
        'on, or for, another system. Install on the system that runs the program (in a container: do not copy ' +
        'node_modules into it)',
    }
  }
  return {
    reason: 'missing',
    text:
      `the optional dependency ${name} is not installed. Install again without --omit=optional (npm), ` +
      '--no-optional (pnpm) or --ignore-optional (yarn). If the lockfile comes from another system and does not name ' +
      `the package, remove the lockfile and node_modules, and install again (https://github.com/npm/cli/issues/4828)`,
  }
}

/** What the system's dynamic loader says, as it says it, and what that means. */
function refusal(attempt: Attempt): Finding {
  const words = firstLine(attempt.error)
  // A path says nothing of the cause: that of a binary has the name of a C library.
  const [, reason, advice] = REFUSALS.find(([pattern]) => pattern.test(words.replace(/\S*\.node\b/g, '')))!
  return { reason, text: `the system refuses ${attempt.where}: "${words}". ${advice}` }
}

const REFUSALS: readonly (readonly [RegExp, BindingFailure, string])[] = [
  [
    /GLIBC_[\d.]+['’]? not found/,
    'library',
    `The C library of this system is too old: the binary needs glibc ${GLIBC} or newer. Run the program on a newer ` +
      'system',
  ],
  [
    /musl|ld-linux|\blibc\.so\b|Error relocating|symbol not found/i,
    'library',
    'The binary is for another C library than that of this process (glibc, as in Debian; musl, as in Alpine). ' +
      'Install on the system that runs the program, by a package manager that knows the field libc',
  ],
  [
    /wrong ELF class|incompatible architecture/i,
    'damaged',
    `The binary is for another processor. ${REINSTALL} on this machine`,
  ],
  [
    /invalid ELF header|file too short|mach-o|truncated|cannot read file data|Exec format error/i,
    'damaged',
    `The file is damaged, or is no binary for this system. ${REINSTALL}`,
  ],
  [
    /failed to map segment|not permitted|Permission denied/i,
    'permission',
    'This process may not read or execute the file: see its mode, and whether its file system is mounted noexec',
  ],
  [
    /code signature/i,
    'permission',
    `macOS does not accept the signature of the file. ${REINSTALL}, and do not change the file`,
  ],
  [/./s, 'library', 'If a library is missing, install that library; otherwise remove node_modules and install again'],
  [/^/, 'other', 'Remove node_modules and install again'],
]

function firstLine(error: unknown): string {
  const [line = ''] = messageOf(error).split('\n', 1)
  return line
}
