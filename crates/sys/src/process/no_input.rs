//! An empty standard input.

use std::fs::File;
use std::os::fd::AsRawFd;

use crate::{Error, Result};

/// Makes `/dev/null` the standard input of this process, as [`spawn`](crate::spawn()) does for those that it starts.
pub fn close_input() -> Result<()> {
  let null = File::open("/dev/null").map_err(|error| Error::new("open", error))?;
  // SAFETY: two numbers. No `OwnedFd` has number 0, since standard input belongs to the whole process, and number 0
  // stays open: it only becomes another file.
  if unsafe { libc::dup2(null.as_raw_fd(), libc::STDIN_FILENO) } < 0 {
    return Err(Error::new("dup2", std::io::Error::last_os_error()));
  }
  Ok(())
}
