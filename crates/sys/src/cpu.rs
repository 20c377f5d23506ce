//! The processor time that control groups allow this process.

#[cfg(any(target_os = "linux", test))]
use std::path::Path;

#[cfg(any(target_os = "linux", test))]
use crate::cgroup::{Version, groups};

/// The number of processors that the control groups of this process allow it, as a fraction: half a processor is 0.5.
/// The smallest of its own group's limit and those of the groups above; `None` without a limit.
///
/// # References
///  - [cgroup v2 `cpu.max`](https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files)
///  - [cgroup v1 `cpu.cfs_quota_us`](https://docs.kernel.org/scheduler/sched-bwc.html)
pub fn cpu_quota() -> Option<f64> {
  #[cfg(target_os = "linux")]
  let quota = quota(|path| std::fs::read_to_string(path).ok());
  #[cfg(not(target_os = "linux"))]
  let quota = None;
  quota
}

/// The smallest quota of this process's groups; `read` gives the content of a file, if it can be read.
#[cfg(any(target_os = "linux", test))]
fn quota(read: impl Fn(&Path) -> Option<String>) -> Option<f64> {
  let quotas = groups("cpu", &read).into_iter().flat_map(|group| {
    let read = &read;
    group.directories.into_iter().filter_map(move |directory| match group.version {
      Version::V2 => parse_max(&read(&directory.join("cpu.max"))?),
      Version::V1 => ratio(&read(&directory.join("cpu.cfs_quota_us"))?, &read(&directory.join("cpu.cfs_period_us"))?),
    })
  });
  quotas.reduce(f64::min)
}

#[cfg(any(target_os = "linux", test))]
/// The content of `cpu.max`: quota and period, or `max` for no limit.
fn parse_max(text: &str) -> Option<f64> {
  let (quota, period) = text.trim().split_once(' ')?;
  ratio(quota, period)
}

#[cfg(any(target_os = "linux", test))]
/// Quota over period; `None` for `max` and -1 (no limit), and for anything that makes no sense.
fn ratio(quota: &str, period: &str) -> Option<f64> {
  let (quota, period): (i64, i64) = (quota.trim().parse().ok()?, period.trim().parse().ok()?);
  (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
}

#[cfg(test)]
mod tests {
  use super::*;
  use crate::cgroup::files;

  const V2_MOUNT: &str = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

  #[test]
  fn the_quota_of_this_process_is_none_or_positive() {
    assert!(cpu_quota().is_none_or(|quota| quota > 0.0));
  }

  #[test]
  fn a_v2_limit_is_quota_over_period() {
    assert_eq!(parse_max("150000 100000\n"), Some(1.5));
    assert_eq!(parse_max("max 100000\n"), None);
    assert_eq!(parse_max(""), None);
    assert_eq!(parse_max("100000 0\n"), None);
  }

  #[test]
  fn the_smallest_limit_of_a_group_and_its_ancestors_counts() {
    let read = files([
      ("/proc/self/cgroup", "0::/a.slice/b.scope\n"),
      ("/proc/self/mountinfo", V2_MOUNT),
      ("/sys/fs/cgroup/a.slice/b.scope/cpu.max", "400000 100000\n"),
      ("/sys/fs/cgroup/a.slice/cpu.max", "50000 100000\n"),
    ]);
    assert_eq!(quota(read), Some(0.5));
  }

  #[test]
  fn a_container_with_its_own_namespace_reads_the_root_of_the_mount() {
    let read = files([
      ("/proc/self/cgroup", "0::/\n"),
      ("/proc/self/mountinfo", V2_MOUNT),
      ("/sys/fs/cgroup/cpu.max", "200000 100000\n"),
    ]);
    assert_eq!(quota(read), Some(2.0));
  }

  #[test]
  fn a_v1_container_without_a_namespace_finds_its_group_below_the_root_of_the_mount() {
    let mount = "41 30 0:35 /docker/f00 /sys/fs/cgroup/cpu,cpuacct ro,nosuid - cgroup cgroup rw,cpu,cpuacct\n";
    let read = files([
      ("/proc/self/cgroup", "5:memory:/docker/f00\n4:cpu,cpuacct:/docker/f00\n0::/\n"),
      ("/proc/self/mountinfo", mount),
      ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "250000\n"),
      ("/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
    ]);
    assert_eq!(quota(read), Some(2.5));
  }

  #[test]
  fn a_v1_quota_of_minus_one_is_no_limit() {
    let mount = "41 30 0:35 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
    let read = files([
      ("/proc/self/cgroup", "4:cpu:/\n"),
      ("/proc/self/mountinfo", mount),
      ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n"),
      ("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n"),
    ]);
    assert_eq!(quota(read), None);
  }

  #[test]
  fn a_hybrid_system_takes_the_smaller_of_both_designs() {
    let mounts = format!("41 30 0:35 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n{V2_MOUNT}");
    let read = files([
      ("/proc/self/cgroup", "4:cpu:/x\n0::/y\n"),
      ("/proc/self/mountinfo", &mounts),
      ("/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us", "300000\n"),
      ("/sys/fs/cgroup/cpu/x/cpu.cfs_period_us", "100000\n"),
      ("/sys/fs/cgroup/y/cpu.max", "100000 100000\n"),
    ]);
    assert_eq!(quota(read), Some(1.0));
  }

  #[test]
  fn without_proc_there_is_no_quota() {
    assert_eq!(quota(|_| None), None);
  }
}
