//! The user and the groups of this process: what decides which files and processes it may touch.

use rustix::process::{getegid, geteuid, getgid, getgroups, getuid};

/// Real and effective user and group, and the supplementary groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
  users: [u32; 2],
  groups: [u32; 2],
  supplementary: Option<Vec<u32>>,
}

impl Credentials {
  /// Those of this thread, and of the whole process if it has changed them by libc, as Node does.
  pub fn current() -> Self {
    // `None` stands for a list that cannot be asked for, which then never differs.
    let mut supplementary = getgroups().ok().map(|list| list.iter().map(|group| group.as_raw()).collect::<Vec<_>>());
    supplementary.iter_mut().for_each(|list| list.sort_unstable());
    let users = [getuid().as_raw(), geteuid().as_raw()];
    Self { users, groups: [getgid().as_raw(), getegid().as_raw()], supplementary }
  }
}
