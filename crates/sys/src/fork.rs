//! `fork` of a process that runs V8.
//!
//! V8 marks the mappings of its heap `MADV_DONTFORK`, so the child of a plain `fork` ends at its first access to the
//! heap. The marks are taken off here. Whether the process can be forked otherwise is its owner's business.

use crate::Result;

/// On which side of a `fork` the caller is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forked {
  /// In the process that called, with the new one's id.
  Parent(u32),
  /// In the new process, which leads a process group of its own.
  Child,
}

/// Forks this process, with all memory that it has for itself: what it shares with others and keeps from forks, such as
/// the lanes of workers, the child does not get. libc's `fork`, so that the handlers of `pthread_atfork` run, libuv's
/// and OpenSSL's among them. `ENOSYS` where there is no V8 heap to be forked: on all systems but Linux.
///
/// # Safety
/// The child has only the calling thread: no other may hold a lock or do anything that the child needs.
///
/// # References
///  - [Linux `fork`](https://man7.org/linux/man-pages/man2/fork.2.html)
///  - [Linux `madvise`](https://man7.org/linux/man-pages/man2/madvise.2.html)
pub unsafe fn fork_with_heap() -> Result<Forked> {
  // SAFETY: passed on by the caller.
  unsafe { native::fork_with_heap() }
}

#[cfg(target_os = "linux")]
mod native {
  use std::ffi::c_void;
  use std::ops::Range;
  use std::{fs, io};

  use super::Forked;
  use crate::{Error, Result};

  /// # Safety
  /// As [`super::fork_with_heap`].
  pub(super) unsafe fn fork_with_heap() -> Result<Forked> {
    share_marked_mappings()?;
    // SAFETY: the caller vouches for the other threads.
    match unsafe { libc::fork() } {
      -1 => Err(Error::new("fork", io::Error::last_os_error())),
      0 => {
        // SAFETY: numbers only. Done on both sides, so that the group is there before either goes on.
        unsafe { libc::setpgid(0, 0) };
        leave_terminal();
        Ok(Forked::Child)
      }
      pid => {
        // SAFETY: as above.
        unsafe { libc::setpgid(pid, pid) };
        Ok(Forked::Parent(pid.unsigned_abs()))
      }
    }
  }

  /// Gives the controlling terminal up, if there is one. In a background group of the session this process would be
  /// stopped, for ever, by an access to the terminal. (`setsid` would do the same, but the parent's `setpgid` may have
  /// made it impossible.)
  fn leave_terminal() {
    use rustix::fs::{Mode, OFlags, open};
    use std::os::fd::AsRawFd;

    let flags = OFlags::RDONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
    if let Ok(terminal) = open("/dev/tty", flags, Mode::empty()) {
      // SAFETY: an open descriptor, and a request without an argument.
      unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCNOTTY) };
    }
  }

  fn share_marked_mappings() -> Result<()> {
    let maps = fs::read_to_string("/proc/self/smaps").map_err(|error| Error::new("/proc/self/smaps", error))?;
    for Range { start, end } in marked(&maps) {
      // SAFETY: whatever is mapped there by now, the advice changes what a child gets and nothing in this process.
      if unsafe { libc::madvise(start as *mut c_void, end - start, libc::MADV_DOFORK) } != 0 {
        let error = Error::new("madvise", io::Error::last_os_error());
        // The mapping is gone since: another thread's, or the list's own memory.
        if error.errno() != Some(libc::ENOMEM) {
          return Err(error);
        }
      }
    }
    Ok(())
  }

  /// The private mappings of a list like `/proc/self/smaps` that a child would not get.
  pub(super) fn marked(maps: &str) -> impl Iterator<Item = Range<usize>> {
    let mut current = 0..0;
    let mut is_private = false;
    maps.lines().filter_map(move |line| {
      if let Some(flags) = line.strip_prefix("VmFlags:") {
        let is_marked = flags.split_ascii_whitespace().any(|flag| flag == "dc");
        return (is_marked && is_private).then(|| current.clone());
      }
      // `7f00a000-7f00b000 rw-p …`; other lines begin with a name and a colon.
      let (range, rest) = line.split_once(' ')?;
      let (start, end) = range.split_once('-')?;
      current = usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?;
      is_private = rest.split(' ').next()?.ends_with('p');
      None
    })
  }
}

#[cfg(not(target_os = "linux"))]
mod native {
  use super::Forked;
  use crate::{Error, Result};

  /// # Safety
  /// None is needed.
  pub(super) unsafe fn fork_with_heap() -> Result<Forked> {
    Err(Error::missing("fork"))
  }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
  use super::native::marked;

  #[test]
  fn private_mappings_are_found_by_their_flag() {
    let maps = "1000-3000 rw-p 00000000 00:00 0\nSize: 8 kB\nVmFlags: rd wr mr mw me dc sd \n\
      7f00a000-7f00b000 r-xp 00001000 fe:00 12   /a-b/dc file\nVmFlags: rd ex mr mw me\n\
      7f00c000-7f00d000 rw-s 00000000 00:01 13   /memfd:p (deleted)\nVmFlags: rd wr sh mr mw me ms dc\n\
      ffffa000-ffffb000 ---p 00000000 00:00 0\nVmFlags: mr mw me dc\n";
    assert_eq!(marked(maps).collect::<Vec<_>>(), [0x1000..0x3000, 0xffff_a000..0xffff_b000]);
  }
}
