//! The closing, in the child, of descriptors that the child was not given.
//!
//! Descriptors of this crate are close-on-exec and need no closing. Other code in the host may have others: libraries,
//! addons, whoever started the host.

use std::os::fd::{BorrowedFd, RawFd};
use std::{fs, iter};

use rustix::io::{FdFlags, fcntl_getfd};
use rustix::process::{Resource, getrlimit};

use super::file_actions::FileActions;
use super::libc_extras::{AddCloseFrom, add_close_from};
use crate::Result;

/// How the others are closed.
#[derive(Clone, Copy)]
pub(super) enum CloseOthers {
  /// All above the targets at once, in the child.
  From(AddCloseFrom),
  /// Those that are open and not close-on-exec when the child is spawned. A descriptor that another thread opens
  /// without close-on-exec at the same moment can slip through.
  Listed,
}

impl CloseOthers {
  /// The better one that this libc has.
  pub(super) fn best() -> Self {
    add_close_from().map_or(Self::Listed, Self::From)
  }

  /// Adds actions that close all descriptors but 0, 1, 2 and the `targets`, which are below `above`.
  pub(super) fn add_to(self, actions: &mut FileActions, targets: &[RawFd], above: RawFd) -> Result<()> {
    match self {
      Self::From(add) => {
        (3..above).filter(|fd| !targets.contains(fd)).try_for_each(|fd| actions.close(fd))?;
        actions.close_from(add, above)
      }
      Self::Listed => {
        let others = inheritable().filter(|fd| *fd > 2 && !targets.contains(fd));
        others.collect::<Vec<_>>().into_iter().try_for_each(|fd| actions.close(fd))
      }
    }
  }
}

/// The open descriptors that an exec would not close.
fn inheritable() -> Box<dyn Iterator<Item = RawFd>> {
  let open: Box<dyn Iterator<Item = RawFd>> = match fs::read_dir("/proc/self/fd") {
    Ok(entries) => Box::new(entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())),
    // Without /proc there is no list, but a highest number.
    Err(_) => {
      let limit = getrlimit(Resource::Nofile).current.and_then(|limit| RawFd::try_from(limit).ok());
      Box::new(0..limit.unwrap_or(RawFd::MAX))
    }
  };
  Box::new(iter::Iterator::filter(open, |fd| {
    // SAFETY: not negative, and only used to ask for its flags. One that another thread closes meanwhile, or that was
    // never open, fails to answer, and one that has another file by then answers for that.
    let fd = unsafe { BorrowedFd::borrow_raw(*fd) };
    fcntl_getfd(fd).is_ok_and(|flags| !flags.contains(FdFlags::CLOEXEC))
  }))
}
