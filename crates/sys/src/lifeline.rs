//! A connection on which nothing is ever said; its end is the message.

use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

use crate::{Error, Result};

/// A connected pair of sockets: the first end for the host, the second for the worker.
///
/// When all descriptors of one end are closed, which the kernel does even for a process killed by `SIGKILL`, the other
/// end becomes readable and reports hang-up. So each side sees the other die, without pids and on every system:
///
/// - in the host, the host end in a [`WaitSet`](crate::WaitSet) is the portable sentinel of the worker;
/// - in the worker, [`start_watchdog`](crate::start_watchdog) sleeps on the worker end.
///
/// The host must close its copy of the worker end once the worker has been spawned.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/socketpair.2.html)
pub fn lifeline() -> Result<(OwnedFd, OwnedFd)> {
  #[cfg(target_os = "linux")]
  let flags = SocketFlags::CLOEXEC;
  #[cfg(not(target_os = "linux"))]
  let flags = SocketFlags::empty();

  let ends =
    rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None).map_err(Error::at("socketpair"))?;

  #[cfg(not(target_os = "linux"))]
  for end in [&ends.0, &ends.1] {
    crate::fd::set_cloexec(end)?;
  }
  Ok(ends)
}
