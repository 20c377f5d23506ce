// The error of a native addon that is not loaded.

import { brand, type ErrorDetails, MillraceError } from './base.js'

/**
 * Why the native addon was not loaded:
 *
 * - `'runtime'`: this is no Node.js, or an old one.
 * - `'platform'`: there is no binary for this operating system or processor.
 * - `'missing'`: the package with the binary is not installed.
 * - `'bundled'`: a bundler has taken this package apart.
 * - `'permission'`: Node was started so that it loads no addons, or may not read this one.
 * - `'library'`: the system's dynamic loader refused the binary, mostly for want of a library.
 * - `'damaged'`: the file is no whole binary for this machine.
 * - `'version'`: the binary is that of another version of the package.
 * - `'other'`: anything else, see `cause`.
 */
export type BindingFailure =
  'runtime' | 'platform' | 'missing' | 'bundled' | 'permission' | 'library' | 'damaged' | 'version' | 'other'

/** The details of a `BindingError`. */
export interface BindingDetails extends ErrorDetails {
  reason: BindingFailure
}

/**
 * The package cannot be imported, since its native addon is not loaded, for `reason`. The message says what to do, and
 * `cause` is the error of Node or of the system's dynamic loader, if there is one.
 */
export class BindingError extends MillraceError {
  static {
    brand(this, 'BindingError')
  }
  override readonly code: string = 'ERR_MILLRACE_BINDING'
  readonly reason: BindingFailure

  constructor(message: string, details: BindingDetails) {
    super(message, details)
    this.reason = details.reason
  }
}
