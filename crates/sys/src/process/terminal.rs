//! The terminal of a process that ends.

use std::fs::File;
use std::io::IsTerminal;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Replaces those of the three standard descriptors that are a terminal by `/dev/null`. To be called when nothing is
/// written any more.
///
/// Node gives a terminal back the modes that it had when Node began, as long as the descriptor is the same file. That
/// is right for the program, and wrong for a worker: the program may have set other modes since.
///
/// # References
///  - [Node, `ResetStdio`](https://github.com/nodejs/node/blob/v24.0.0/src/node.cc)
pub fn let_go_of_terminal() {
  let Ok(null) = File::options().read(true).write(true).open("/dev/null") else { return };
  for standard in [libc::STDIN_FILENO, libc::STDOUT_FILENO, libc::STDERR_FILENO] {
    // SAFETY: a number that is not -1. Nobody closes these descriptors, and if one is not open, no call succeeds.
    if unsafe { BorrowedFd::borrow_raw(standard) }.is_terminal() {
      // SAFETY: two numbers. No `OwnedFd` has the second one, which stays open.
      unsafe { libc::dup2(null.as_raw_fd(), standard) };
    }
  }
}
