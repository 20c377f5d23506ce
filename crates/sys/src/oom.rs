//! The count of the kernel's out-of-memory kills.

/// How many processes of this process's memory control group the kernel has killed for want of memory so far, by
/// whichever limit; of the whole machine, if the group has no count. `None`: there is no count.
///
/// A victim is counted before it is sent SIGKILL, so whoever sees its end sees the count.
///
/// # References
///  - [cgroup v2 `memory.events`](https://docs.kernel.org/admin-guide/cgroup-v2.html#memory-interface-files)
///  - [cgroup v1 `memory.oom_control`](https://docs.kernel.org/admin-guide/cgroup-v1/memory.html#oom-control)
///  - [Linux `/proc/vmstat`](https://man7.org/linux/man-pages/man5/proc_vmstat.5.html)
pub fn oom_kills() -> Option<u64> {
  #[cfg(target_os = "linux")]
  let kills = linux::counter().as_deref().and_then(|path| std::fs::read_to_string(path).ok());
  #[cfg(target_os = "linux")]
  let kills = kills.as_deref().and_then(linux::parse);
  #[cfg(not(target_os = "linux"))]
  let kills = None;
  kills
}

#[cfg(any(target_os = "linux", test))]
mod linux {
  use std::path::{Path, PathBuf};
  #[cfg(target_os = "linux")]
  use std::sync::OnceLock;

  use crate::cgroup::{Version, groups};

  /// The file that has the count for this process. Looked for once: a process seldom changes its group.
  #[cfg(target_os = "linux")]
  pub(super) fn counter() -> &'static Option<PathBuf> {
    static COUNTER: OnceLock<Option<PathBuf>> = OnceLock::new();
    COUNTER.get_or_init(|| find(|path| std::fs::read_to_string(path).ok()))
  }

  pub(super) fn find(read: impl Fn(&Path) -> Option<String>) -> Option<PathBuf> {
    let own = groups("memory", &read).into_iter().filter_map(|group| {
      let file = match group.version {
        Version::V2 => "memory.events",
        Version::V1 => "memory.oom_control",
      };
      Some(group.directories.first()?.join(file))
    });
    own.chain([PathBuf::from("/proc/vmstat")]).find(|path| read(path).is_some_and(|text| parse(&text).is_some()))
  }

  /// The number in the line `oom_kill 3`, which all these files have.
  pub(super) fn parse(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("oom_kill "))?.trim().parse().ok()
  }
}

#[cfg(test)]
mod tests {
  use std::path::Path;

  use super::*;
  use crate::cgroup::files;

  const V2_MOUNT: &str = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";

  #[cfg(target_os = "linux")]
  #[test]
  fn the_kernel_counts() {
    assert!(oom_kills().is_some());
  }

  #[test]
  fn the_own_group_counts_before_the_machine() {
    let read = files([
      ("/proc/self/cgroup", "0::/a\n"),
      ("/proc/self/mountinfo", V2_MOUNT),
      ("/sys/fs/cgroup/a/memory.events", "low 0\noom 4\noom_kill 3\noom_group_kill 0\n"),
      ("/proc/vmstat", "oom_kill 9\n"),
    ]);
    let path = linux::find(&read).unwrap();
    assert_eq!(path, Path::new("/sys/fs/cgroup/a/memory.events"));
    assert_eq!(linux::parse(&read(&path).unwrap()), Some(3));
  }

  #[test]
  fn a_v1_group_counts_in_another_file() {
    let read = files([
      ("/proc/self/cgroup", "4:memory:/m\n0::/\n"),
      ("/proc/self/mountinfo", "41 30 0:35 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"),
      ("/sys/fs/cgroup/memory/m/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n"),
    ]);
    assert_eq!(linux::find(&read).unwrap(), Path::new("/sys/fs/cgroup/memory/m/memory.oom_control"));
  }

  #[test]
  fn a_group_that_does_not_count_leaves_it_to_the_machine() {
    // The root group has no such file.
    let read = files([
      ("/proc/self/cgroup", "0::/\n"),
      ("/proc/self/mountinfo", V2_MOUNT),
      ("/proc/vmstat", "nr_free_pages 1\noom_kill 9\n"),
    ]);
    assert_eq!(linux::find(read).unwrap(), Path::new("/proc/vmstat"));
    assert_eq!(linux::find(|_| None), None);
  }
}
