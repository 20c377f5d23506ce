//! Control groups: the directories of this process's groups.
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
pub(crate) enum Version {
  V1,
  V2,
}

/// This process's group in one hierarchy.
#[derive(Debug)]
pub(crate) struct Group {
  pub(crate) version: Version,
  /// The directory of the group, and those of the groups above as far as they can be seen.
  pub(crate) directories: Vec<PathBuf>,
}

/// A mounted hierarchy.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
  version: Version,
  /// The group that the mount shows as its root.
  root: PathBuf,
  /// Where the root is mounted.
  point: PathBuf,
}

/// The groups of this process in the hierarchies that have `controller`. `read` gives the content of a file, if the
/// file can be read.
pub(crate) fn groups(controller: &str, read: impl Fn(&Path) -> Option<String>) -> Vec<Group> {
  let texts = read(Path::new("/proc/self/cgroup")).zip(read(Path::new("/proc/self/mountinfo")));
  let Some((groups, mounts)) = texts else { return Vec::new() };
  let mounts = mounts.lines().filter_map(|line| parse_mount(line, controller));
  let group_of = |mount: Mount| {
    let group = groups.lines().find_map(|line| parse_group(line, mount.version, controller))?;
    Some(Group { version: mount.version, directories: directories(&mount, group) })
  };
  mounts.filter_map(group_of).collect()
}

/// The group in a line of `/proc/self/cgroup`, if it is of the hierarchy that has the controller: `0::/user.slice` (v2,
/// which has all) or `4:cpu,cpuacct:/user.slice` (v1).
fn parse_group<'a>(line: &'a str, version: Version, controller: &str) -> Option<&'a Path> {
  let mut fields = line.splitn(3, ':');
  let (id, controllers, group) = (fields.next()?, fields.next()?, fields.next()?);
  let is_it = match version {
    Version::V2 => id == "0" && controllers.is_empty(),
    Version::V1 => controllers.split(',').any(|name| name == controller),
  };
  is_it.then_some(Path::new(group))
}

/// The mount in a line of `/proc/self/mountinfo`, if it is of control groups with the controller:
/// `36 35 98:0 /root /mount/point options tag:1 - cgroup source options,cpu`.
fn parse_mount(line: &str, controller: &str) -> Option<Mount> {
  let (mount, file_system) = line.split_once(" - ")?;
  let mut fields = mount.split(' ').skip(3);
  let (root, point) = (fields.next()?, fields.next()?);
  let mut fields = file_system.split(' ');
  let version = match fields.next()? {
    "cgroup2" => Version::V2,
    "cgroup" if fields.nth(1)?.split(',').any(|option| option == controller) => Version::V1,
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
  // This process may not see a group that is not below the root of the mount: the mount's root is then the nearest
  // directory.
  let below = group.strip_prefix(&mount.root).unwrap_or(Path::new(""));
  below.ancestors().map(|part| mount.point.join(part)).collect()
}

/// A file system with these files only.
#[cfg(test)]
pub(crate) fn files<'a, const N: usize>(files: [(&'a str, &'a str); N]) -> impl Fn(&Path) -> Option<String> + 'a {
  move |path| files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, text)| (*text).to_owned())
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn a_group_outside_of_the_mount_falls_back_to_its_root() {
    let mount = Mount { version: Version::V2, root: "/pod".into(), point: "/cg".into() };
    assert_eq!(directories(&mount, Path::new("/../other")), [PathBuf::from("/cg")]);
    assert_eq!(directories(&mount, Path::new("/pod/x")), [PathBuf::from("/cg/x"), PathBuf::from("/cg")]);
  }

  #[test]
  fn mounts_of_other_controllers_and_file_systems_are_passed_by() {
    assert_eq!(parse_mount("42 30 0:36 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory", "cpu"), None);
    assert_eq!(parse_mount("23 1 8:1 / / rw - ext4 /dev/sda1 rw", "cpu"), None);
    assert_eq!(parse_mount("garbage", "cpu"), None);
  }

  #[test]
  fn escapes_in_mount_points_are_undone() {
    let mount = parse_mount(r"30 24 0:26 / /my\040groups rw - cgroup2 none rw", "cpu").unwrap();
    assert_eq!(mount.point, Path::new("/my groups"));
  }

  #[test]
  fn without_proc_there_are_no_groups() {
    assert!(groups("cpu", |_| None).is_empty());
  }
}
