//! The one error of this crate: which system call failed, and why.

use std::io;

use rustix::io::Errno;

/// A system call that failed.
#[derive(Debug, thiserror::Error)]
#[error("{syscall}: {source}")]
pub struct Error {
  /// The name of the system call, as its manual page has it.
  pub syscall: &'static str,
  source: io::Error,
}

/// What the functions of this crate return.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
  /// An error of `syscall` with the reason `source`.
  pub fn new(syscall: &'static str, source: io::Error) -> Self {
    Self { syscall, source }
  }

  /// An error of `syscall` as the system reports it by `errno`.
  pub fn from_errno(syscall: &'static str, errno: i32) -> Self {
    Self::new(syscall, io::Error::from_raw_os_error(errno))
  }

  /// The error number, unless the reason was found by this crate and not by the system.
  pub fn errno(&self) -> Option<i32> {
    self.source.raw_os_error()
  }

  /// For `map_err` behind a rustix call.
  pub(crate) fn at(syscall: &'static str) -> impl Fn(Errno) -> Self {
    move |errno| Self::from_errno(syscall, errno.raw_os_error())
  }

  /// This system has no such call.
  #[cfg(not(target_os = "linux"))]
  pub(crate) fn missing(syscall: &'static str) -> Self {
    Self::from_errno(syscall, libc::ENOSYS)
  }
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn an_error_names_its_call_and_its_reason() {
    let error = Error::at("memfd_create")(Errno::MFILE);
    assert_eq!(error.errno(), Some(libc::EMFILE));
    assert!(error.to_string().starts_with("memfd_create: "), "{error}");
    assert!(std::error::Error::source(&error).is_some());
  }

  #[test]
  fn a_reason_found_without_the_system_has_no_errno() {
    assert_eq!(Error::new("fstat", io::Error::other("too small")).errno(), None);
  }
}
