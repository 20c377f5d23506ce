//! `posix_spawn_file_actions_t`: steps that the child takes before it runs the program, in order.

use std::ffi::CStr;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use super::libc_extras;
use crate::{Error, Result};

/// A list of steps. The list has numbers of descriptors only, so the descriptors must be open until the child was
/// spawned.
///
/// Boxed, as POSIX does not promise that an initialised object may be moved.
pub(super) struct FileActions(Box<MaybeUninit<libc::posix_spawn_file_actions_t>>);

impl FileActions {
  pub(super) fn new() -> Result<Self> {
    let mut raw = Box::new(MaybeUninit::uninit());
    // SAFETY: writable memory for one object, which the call initialises if it succeeds.
    check("posix_spawn_file_actions_init", unsafe { libc::posix_spawn_file_actions_init(raw.as_mut_ptr()) })?;
    Ok(Self(raw))
  }

  /// Opens `path` as the number `target`. The path is static because old versions of glibc keep the pointer.
  pub(super) fn open(&mut self, target: RawFd, path: &'static CStr, flags: libc::c_int) -> Result<()> {
    // SAFETY: initialised by `new`; the path is a C string.
    let outcome = unsafe { libc::posix_spawn_file_actions_addopen(self.as_mut_ptr(), target, path.as_ptr(), flags, 0) };
    check("posix_spawn_file_actions_addopen", outcome)
  }

  /// Makes `target` a duplicate of `source` that stays open in the program. Not for `source == target`, which would
  /// leave it close-on-exec on some systems.
  pub(super) fn dup2(&mut self, source: BorrowedFd<'_>, target: RawFd) -> Result<()> {
    debug_assert_ne!(source.as_raw_fd(), target);
    // SAFETY: initialised by `new`.
    let outcome = unsafe { libc::posix_spawn_file_actions_adddup2(self.as_mut_ptr(), source.as_raw_fd(), target) };
    check("posix_spawn_file_actions_adddup2", outcome)
  }

  /// Closes `fd`; one that is not open is no error.
  #[cfg(target_os = "linux")]
  pub(super) fn close(&mut self, fd: RawFd) -> Result<()> {
    // SAFETY: initialised by `new`.
    let outcome = unsafe { libc::posix_spawn_file_actions_addclose(self.as_mut_ptr(), fd) };
    check("posix_spawn_file_actions_addclose", outcome)
  }

  /// Closes `lowest` and all above it, by the function that [`libc_extras::add_close_from`] found.
  #[cfg(target_os = "linux")]
  pub(super) fn close_from(&mut self, add: libc_extras::AddCloseFrom, lowest: RawFd) -> Result<()> {
    // SAFETY: initialised by `new`.
    let outcome = unsafe { add(self.as_mut_ptr(), lowest) };
    check("posix_spawn_file_actions_addclosefrom_np", outcome)
  }

  /// Changes the working directory. `ENOSYS` if this libc cannot do it.
  pub(super) fn change_directory(&mut self, path: &CStr) -> Result<()> {
    const NAME: &str = "posix_spawn_file_actions_addchdir_np";
    let add = libc_extras::add_change_directory().ok_or_else(|| Error::from_errno(NAME, libc::ENOSYS))?;
    // SAFETY: initialised by `new`; the path is a C string, which every libc that has the function copies.
    let outcome = unsafe { add(self.as_mut_ptr(), path.as_ptr()) };
    check(NAME, outcome)
  }

  pub(super) fn as_ptr(&self) -> *const libc::posix_spawn_file_actions_t {
    self.0.as_ptr()
  }

  fn as_mut_ptr(&mut self) -> *mut libc::posix_spawn_file_actions_t {
    self.0.as_mut_ptr()
  }
}

impl Drop for FileActions {
  fn drop(&mut self) {
    // SAFETY: initialised by `new`, and destroyed only here.
    unsafe { libc::posix_spawn_file_actions_destroy(self.as_mut_ptr()) };
  }
}

/// The functions of `posix_spawn` return the error number; they do not set `errno`.
pub(super) fn check(syscall: &'static str, outcome: libc::c_int) -> Result<()> {
  if outcome == 0 { Ok(()) } else { Err(Error::from_errno(syscall, outcome)) }
}
