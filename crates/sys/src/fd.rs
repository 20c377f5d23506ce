//! Descriptors that no other program inherits.

use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};

use crate::{Error, Result};

/// Takes over the descriptor with the number `raw`, which this process was started with (see
/// [`SpawnSpec::fds`](crate::SpawnSpec::fds)), and makes it close-on-exec, so that it goes no further.
///
/// Fails with `EBADF` if it is not open.
///
/// # Safety
///
/// Nothing else in this process may own the descriptor or close it.
pub unsafe fn adopt_fd(raw: RawFd) -> Result<OwnedFd> {
  if raw < 0 {
    return Err(Error::from_errno("fcntl", libc::EBADF));
  }
  // SAFETY: not -1, and only used to ask whether the descriptor is open.
  let probe = unsafe { BorrowedFd::borrow_raw(raw) };
  set_cloexec(probe)?;
  // SAFETY: it is open, as the call above succeeded, and the caller promises that nobody else owns it.
  Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Adds `FD_CLOEXEC`, for descriptors made by someone else or by a call that cannot set it.
pub(crate) fn set_cloexec(fd: impl AsFd) -> Result<()> {
  let flags = fcntl_getfd(&fd).map_err(Error::at("fcntl"))?;
  fcntl_setfd(&fd, flags | FdFlags::CLOEXEC).map_err(Error::at("fcntl"))
}
