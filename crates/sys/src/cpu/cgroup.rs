//! Control groups: where this process's groups are in the file system, and what their files say.
//!
//! `/proc/self/cgroup` names the group of each hierarchy, `/proc/self/mountinfo` where the hierarchies are mounted and
//! which part of them: in a container the mount often shows the container's own group as its root.
//!
//! # References
//!  - [Linux `cgroups`](https://man7.org/linux/man-pages/man7/cgroups.7.html)
//!  - [Linux `mountinfo`](https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html)

use std::path::{Path, PathBuf};

/// The two designs of control groups, which may both be mounted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
  V1,
  V2,
}

/// A mounted hierarchy that controls the processor.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
  version: Version,
  /// The group that the mount shows as its root.
  root: PathBuf,
  /// Where that is.
  point: PathBuf,
}

/// The smallest quota of this process's groups; `read` gives the content of a file, if it can be read.
pub(super) fn quota(read: impl Fn(&Path) -> Option<String>) -> Option<f64> {
  let groups = read(Path::new("/proc/self/cgroup"))?;
  let mounts = read(Path::new("/proc/self/mountinfo"))?;
  let mut smallest: Option<f64> = None;
  for mount in mounts.lines().filter_map(parse_mount) {
    let Some(group) = groups.lines().find_map(|line| parse_group(line, mount.version)) else { continue };
    for directory in directories(&mount, group) {
      let limit = match mount.version {
        Version::V2 => read(&directory.join("cpu.max")).and_then(|max| parse_max(&max)),
        Version::V1 => {
          let file = |name| read(&directory.join(name));
          file("cpu.cfs_quota_us").zip(file("cpu.cfs_period_us")).and_then(|(quota, period)| ratio(&quota, &period))
        }
      };
      smallest = match (smallest, limit) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
      };
    }
  }
  smallest
}

/// The group in a line of `/proc/self/cgroup`, if it is of the hierarchy that controls the processor:
/// `0::/user.slice` (v2) or `4:cpu,cpuacct:/user.slice` (v1).
fn parse_group(line: &str, version: Version) -> Option<&Path> {
  let mut fields = line.splitn(3, ':');
  let (id, controllers, group) = (fields.next()?, fields.next()?, fields.next()?);
  let is_it = match version {
    Version::V2 => id == "0" && controllers.is_empty(),
    Version::V1 => controllers.split(',').any(|name| name == "cpu"),
  };
  is_it.then_some(Path::new(group))
}

/// The mount in a line of `/proc/self/mountinfo`, if it is of control groups for the processor:
/// `36 35 98:0 /root /mount/point options tag:1 - cgroup source options,cpu`.
fn parse_mount(line: &str) -> Option<Mount> {
  let (mount, file_system) = line.split_once(" - ")?;
  let mut fields = mount.split(' ').skip(3);
  let (root, point) = (fields.next()?, fields.next()?);
  let mut fields = file_system.split(' ');
  let version = match fields.next()? {
    "cgroup2" => Version::V2,
    "cgroup" if fields.nth(1)?.split(',').any(|option| option == "cpu") => Version::V1,
    _ => return None,
  };
  Some(Mount { version, root: unescape(root).into(), point: unescape(point).into() })
}

/// Undoes the escapes of `mountinfo`: a backslash and three octal digits for a space, tab, newline or backslash.
fn unescape(field: &str) -> String {
  let escapes = [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")];
  escapes.iter().fold(field.to_owned(), |text, (escape, character)| text.replace(escape, character))
}

/// The directory of `group` and those above it, as far as the mount shows them.
fn directories(mount: &Mount, group: &Path) -> Vec<PathBuf> {
  // A group that is not below the root of the mount is outside of what this process may see: the mount's root is then
  // the nearest there is.
  let below = group.strip_prefix(&mount.root).unwrap_or(Path::new(""));
  below.ancestors().map(|part| mount.point.join(part)).collect()
}

/// The content of `cpu.max`: quota and period, or `max` for no limit.
fn parse_max(text: &str) -> Option<f64> {
  let (quota, period) = text.trim().split_once(' ')?;
  ratio(quota, period)
}

/// Quota over period; `None` for `max`, for -1 (no limit) and for anything that makes no sense.
fn ratio(quota: &str, period: &str) -> Option<f64> {
  let (quota, period): (i64, i64) = (quota.trim().parse().ok()?, period.trim().parse().ok()?);
  (quota > 0 && period > 0).then(|| quota as f64 / period as f64)
}

#[cfg(test)]
mod tests {
  use super::*;

  /// A file system with these files only.
  fn files<'a, const N: usize>(files: [(&'a str, &'a str); N]) -> impl Fn(&Path) -> Option<String> + 'a {
    move |path| files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned())
  }

  const V2_MOUNT: &str = "30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";

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
  fn a_group_outside_of_the_mount_falls_back_to_its_root() {
    let mount = Mount { version: Version::V2, root: "/pod".into(), point: "/cg".into() };
    assert_eq!(directories(&mount, Path::new("/../other")), [PathBuf::from("/cg")]);
    assert_eq!(directories(&mount, Path::new("/pod/x")), [PathBuf::from("/cg/x"), PathBuf::from("/cg")]);
  }

  #[test]
  fn mounts_of_other_controllers_and_file_systems_are_passed_by() {
    assert_eq!(parse_mount("42 30 0:36 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory"), None);
    assert_eq!(parse_mount("23 1 8:1 / / rw - ext4 /dev/sda1 rw"), None);
    assert_eq!(parse_mount("garbage"), None);
  }

  #[test]
  fn escapes_in_mount_points_are_undone() {
    let mount = parse_mount(r"30 24 0:26 / /my\040groups rw - cgroup2 none rw").unwrap();
    assert_eq!(mount.point, Path::new("/my groups"));
  }

  #[test]
  fn without_proc_there_is_no_quota() {
    assert_eq!(quota(|_| None), None);
  }
}
