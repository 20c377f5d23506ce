//! `posix_spawnattr_t`: session and signals of a child at its start.

use std::mem::MaybeUninit;

use super::file_actions::check;
use crate::Result;
use crate::signals::{all_signals, no_signals};

/// Attributes of a child that starts afresh: leader of a new session, no signal blocked, none ignored.
///
/// A session has a process group, by which the child is signalled with all that it starts. And it has no terminal: in a
/// background group of the program's session a child would be stopped, for ever, by an access to the terminal.
///
///
/// Boxed, as POSIX does not promise that an initialised object may be moved.
pub(super) struct Attributes(Box<MaybeUninit<libc::posix_spawnattr_t>>);

#[cfg(target_os = "linux")]
const FLAGS: libc::c_int =
  libc::POSIX_SPAWN_SETSID as libc::c_int | libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETSIGMASK;

/// From `<spawn.h>`, since macOS 10.15.
#[cfg(target_os = "macos")]
const POSIX_SPAWN_SETSID: libc::c_int = 0x400;

/// On macOS the kernel itself closes every descriptor that no file action mentions.
#[cfg(target_os = "macos")]
const FLAGS: libc::c_int =
  POSIX_SPAWN_SETSID | libc::POSIX_SPAWN_SETSIGDEF | libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_CLOEXEC_DEFAULT;

impl Attributes {
  pub(super) fn new() -> Result<Self> {
    let mut raw = Box::new(MaybeUninit::uninit());
    // SAFETY: writable memory for one object, which the call initialises if it succeeds.
    check("posix_spawnattr_init", unsafe { libc::posix_spawnattr_init(raw.as_mut_ptr()) })?;
    let mut this = Self(raw);
    let attributes = this.0.as_mut_ptr();
    // SAFETY: initialised above.
    check("posix_spawnattr_setflags", unsafe { libc::posix_spawnattr_setflags(attributes, FLAGS as libc::c_short) })?;
    // SAFETY: initialised above, and so is the set.
    check("posix_spawnattr_setsigmask", unsafe { libc::posix_spawnattr_setsigmask(attributes, &no_signals()) })?;
    // SAFETY: initialised above, and so is the set.
    check("posix_spawnattr_setsigdefault", unsafe { libc::posix_spawnattr_setsigdefault(attributes, &all_signals()) })?;
    Ok(this)
  }

  pub(super) fn as_ptr(&self) -> *const libc::posix_spawnattr_t {
    self.0.as_ptr()
  }
}

impl Drop for Attributes {
  fn drop(&mut self) {
    // SAFETY: initialised by `new`, and destroyed only here.
    unsafe { libc::posix_spawnattr_destroy(self.0.as_mut_ptr()) };
  }
}
