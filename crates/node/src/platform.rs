//! The platform: whether it can carry a pool, its processors, its terminal, its errors; the version of this binary.

use millrace_sys::Capabilities;
use napi_derive::napi;

/// An error of the operating system. Its text begins with the system call's name and, if there is an error number, ends
/// with `(os error N)`: the TypeScript layer (`asSystemError`) reads both.
pub(crate) fn sys_error(error: &millrace_sys::Error) -> napi::Error {
  napi::Error::from_reason(error.to_string())
}

/// Throws, naming what is missing, on a platform that cannot carry a pool.
#[napi]
pub fn check_platform() -> napi::Result<()> {
  Capabilities::get().map(|_| ()).map_err(|error| sys_error(&error))
}

/// The version of this binary. The TypeScript layer refuses a binary of another version than its own.
#[napi]
pub fn binding_version() -> &'static str {
  env!("CARGO_PKG_VERSION")
}

/// How many processors this process's control groups may use, as a fraction; `null` without a quota.
#[napi]
pub fn cpu_quota() -> Option<f64> {
  millrace_sys::cpu_quota()
}

/// Has Node leave the modes of the terminal as they are when this process ends. To be called when nothing is written
/// any more.
#[napi]
pub fn let_go_of_terminal() {
  millrace_sys::let_go_of_terminal();
}
