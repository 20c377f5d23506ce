//! Descriptors that this process keeps to itself: close-on-exec, and at high numbers.

use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

#[cfg(target_os = "linux")]
use std::time::Duration;

#[cfg(target_os = "linux")]
use rustix::event::{PollFd, PollFlags, Timespec, poll};
#[cfg(target_os = "linux")]
use rustix::io::Errno;
use rustix::io::{FdFlags, fcntl_dupfd_cloexec, fcntl_getfd, fcntl_setfd};
#[cfg(target_os = "linux")]
use rustix::process::{Resource, getrlimit};

use crate::{Error, Result};

/// Lowest numbers for descriptors out of the way: above those that some programs close in a row, and above those of
/// files that the process opens later. The second is for a process that may not have so many.
const OUT_OF_THE_WAY: [RawFd; 2] = [1024, 128];

/// Takes over the descriptor with the number `raw`, which this process was started with (see
/// [`SpawnSpec::fds`](crate::SpawnSpec::fds)): moves it to a high number, if there is one, and makes it close-on-exec,
/// so that it goes no further.
///
/// `EBADF`: there is no such descriptor.
///
/// # Safety
///
/// Nothing else in this process may own the descriptor or close it.
pub unsafe fn adopt_fd(raw: RawFd) -> Result<OwnedFd> {
  if raw < 0 {
    return Err(Error::from_errno("fcntl", libc::EBADF));
  }
  // SAFETY: not -1, and nobody else closes it meanwhile, as the caller promises. A number that is not open is refused
  // by the first thing that is done with it.
  let probe = unsafe { BorrowedFd::borrow_raw(raw) };
  set_cloexec(probe)?;
  // SAFETY: it is open, as the call above succeeded, and the caller promises that nobody else owns it.
  let fd = unsafe { OwnedFd::from_raw_fd(raw) };
  Ok(out_of_the_way(fd))
}

/// The same descriptor, close-on-exec and at a high number if there is one.
pub fn out_of_the_way(fd: OwnedFd) -> OwnedFd {
  let moved = OUT_OF_THE_WAY.iter().find_map(|&lowest| fcntl_dupfd_cloexec(&fd, lowest).ok());
  moved.unwrap_or(fd)
}

/// The number at which [`out_of_the_way`] begins in a child with the limits of this process, if there is one.
#[cfg(target_os = "linux")]
pub(crate) fn way_out() -> Option<RawFd> {
  let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
  OUT_OF_THE_WAY.into_iter().find(|&lowest| u64::from(lowest.unsigned_abs()) < limit)
}

/// Whether the descriptor becomes readable, or hangs up, within `timeout`. May say no too early.
#[cfg(target_os = "linux")]
pub(crate) fn readable_within(fd: impl AsFd, timeout: Duration) -> Result<bool> {
  // An hour at most, as the system cannot express any longest time; whoever waits, asks again.
  let timeout = timeout.min(Duration::from_secs(3600));
  let timeout = Timespec { tv_sec: timeout.as_secs() as i64, tv_nsec: timeout.subsec_nanos().into() };
  match poll(&mut [PollFd::new(&fd, PollFlags::IN)], Some(&timeout)) {
    Ok(ready) => Ok(ready > 0),
    Err(Errno::INTR) => Ok(false),
    Err(errno) => Err(Error::at("poll")(errno)),
  }
}

/// Adds `FD_CLOEXEC`, for descriptors made by someone else or by a call that cannot set it.
pub(crate) fn set_cloexec(fd: impl AsFd) -> Result<()> {
  let flags = fcntl_getfd(&fd).map_err(Error::at("fcntl"))?;
  fcntl_setfd(&fd, flags | FdFlags::CLOEXEC).map_err(Error::at("fcntl"))
}
