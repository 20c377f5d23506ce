//! How much processor time this process may use.

#[cfg(any(target_os = "linux", test))]
mod cgroup;

/// The number of processors that the control groups of this process allow it, as a fraction: half a processor is 0.5.
/// The smallest of its own group's limit and those of the groups above; `None` without a limit.
///
/// # References
///  - [cgroup v2 `cpu.max`](https://docs.kernel.org/admin-guide/cgroup-v2.html#cpu-interface-files)
///  - [cgroup v1 `cpu.cfs_quota_us`](https://docs.kernel.org/scheduler/sched-bwc.html)
pub fn cpu_quota() -> Option<f64> {
  #[cfg(target_os = "linux")]
  let quota = cgroup::quota(|path| std::fs::read_to_string(path).ok());
  #[cfg(not(target_os = "linux"))]
  let quota = None;
  quota
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn the_quota_of_this_process_is_none_or_positive() {
    assert!(cpu_quota().is_none_or(|quota| quota > 0.0));
  }
}
