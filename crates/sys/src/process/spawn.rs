//! `posix_spawn`, with descriptors, attributes and strings prepared beforehand.

use std::ffi::CString;
use std::fs;
use std::io::IsTerminal;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::ptr;

use rustix::fs::{Mode, OFlags, open};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::process::Pid;

use super::attributes::Attributes;
use super::child::Child;
#[cfg(target_os = "linux")]
use super::close_others::CloseOthers;
use super::file_actions::{FileActions, check};
use super::sentinel::Sentinel;
use super::spec::{SpawnSpec, c_string};
#[cfg(target_os = "linux")]
use crate::fd::way_out;
use crate::{Error, Result, SentinelKind};

/// Starts a child process.
///
/// It returns when the child has begun to run the program, or with the reason why it could not: a program that is
/// missing or not executable, a missing directory (an error of `chdir`), no memory, no process or descriptor to spare.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man3/posix_spawn.3.html)
///  - [Apple](https://developer.apple.com/library/archive/documentation/System/Conceptual/ManPages_iPhoneOS/man2/posix_spawn.2.html)
pub fn spawn(spec: &SpawnSpec<'_>, sentinel: SentinelKind) -> Result<Child> {
  #[cfg(target_os = "linux")]
  let plan = DescriptorPlan::new(spec, CloseOthers::best())?;
  #[cfg(not(target_os = "linux"))]
  let plan = DescriptorPlan::new(spec)?;
  spawn_by(spec, &plan, sentinel)
}

/// The file actions, and the descriptors whose numbers they contain.
struct DescriptorPlan {
  actions: FileActions,
  sources: Vec<OwnedFd>,
}

impl DescriptorPlan {
  fn new(spec: &SpawnSpec<'_>, #[cfg(target_os = "linux")] others: CloseOthers) -> Result<Self> {
    let above = spec.above_targets()?;
    let mut plan = Self { actions: FileActions::new()?, sources: Vec::new() };
    plan.actions.open(0, c"/dev/null", libc::O_RDONLY)?;
    plan.add_output(spec.inherit_stdio.then(std::io::stdout), 1, above)?;
    plan.add_output(spec.inherit_stdio.then(std::io::stderr), 2, above)?;
    for (source, target) in &spec.fds {
      let high = raise(*source, above).map_err(Error::at("fcntl"))?;
      plan.add(high, *target)?;
    }
    #[cfg(target_os = "linux")]
    {
      plan.make_table()?;
      let targets: Vec<RawFd> = spec.fds.iter().map(|(_, target)| *target).collect();
      others.add_to(&mut plan.actions, &targets, above)?;
    }
    if let Some(cwd) = &spec.cwd {
      plan.actions.change_directory(&c_string(cwd.as_os_str())?)?;
    }
    Ok(plan)
  }

  /// Has the kernel make the child's table of descriptors as large as it will be when the child has moved its own [out
  /// of the way](crate::out_of_the_way). Nobody shares it yet: a process with threads, as the child will be, waits some
  /// milliseconds until no processor can be looking at the smaller one.
  ///
  /// # References
  ///  - [Linux, `expand_fdtable`](https://github.com/torvalds/linux/blob/v6.12/fs/file.c#L213)
  #[cfg(target_os = "linux")]
  fn make_table(&mut self) -> Result<()> {
    let Some(number) = way_out() else { return Ok(()) };
    self.actions.open(number, c"/dev/null", libc::O_RDONLY)?;
    self.actions.close(number)
  }

  /// Gives the child `output` as `target`, or `/dev/null` if there is none or this process has closed its own.
  fn add_output(&mut self, output: Option<impl AsFd>, target: RawFd, above: RawFd) -> Result<()> {
    match output.map(|output| raise(output_of(output.as_fd()).as_fd(), above)) {
      None | Some(Err(Errno::BADF)) => self.actions.open(target, c"/dev/null", libc::O_WRONLY),
      Some(Ok(high)) => self.add(high, target),
      Some(Err(errno)) => Err(Error::at("fcntl")(errno)),
    }
  }

  fn add(&mut self, high: OwnedFd, target: RawFd) -> Result<()> {
    self.actions.dup2(high.as_fd(), target)?;
    self.sources.push(high);
    Ok(())
  }
}

/// The same output, or, if that is a terminal, the terminal opened for writing alone: a terminal is open for both, and
/// a child of a task that reads from its output (`less` does) would take what the program's user types.
fn output_of(output: BorrowedFd<'_>) -> Output<'_> {
  if cfg!(target_os = "linux") && output.is_terminal() {
    let path = format!("/proc/self/fd/{}", output.as_raw_fd());
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
    if let Ok(terminal) = open(path, flags, Mode::empty()) {
      return Output::Reopened(terminal);
    }
  }
  Output::Given(output)
}

enum Output<'fd> {
  Given(BorrowedFd<'fd>),
  Reopened(OwnedFd),
}

impl AsFd for Output<'_> {
  fn as_fd(&self) -> BorrowedFd<'_> {
    match self {
      Self::Given(fd) => *fd,
      Self::Reopened(fd) => fd.as_fd(),
    }
  }
}

/// A close-on-exec duplicate above all targets: so no `dup2` overwrites the source of a later one, and none is onto
/// itself, which would leave close-on-exec as it was.
fn raise(source: BorrowedFd<'_>, above: RawFd) -> rustix::io::Result<OwnedFd> {
  fcntl_dupfd_cloexec(source, above)
}

fn spawn_by(spec: &SpawnSpec<'_>, plan: &DescriptorPlan, sentinel: SentinelKind) -> Result<Child> {
  let program = c_string(spec.program.as_os_str())?;
  let (argv, envp) = (spec.argv()?, spec.envp()?);
  let (argv, envp) = (pointers(&argv), pointers(&envp));
  let attributes = Attributes::new()?;
  let mut pid: libc::pid_t = 0;
  // SAFETY: all arguments are initialised and live through the call: a C string, two objects of libc, and two arrays of
  // pointers to C strings that end in null, which the call does not write to in spite of their type.
  let outcome = unsafe {
    libc::posix_spawn(
      &mut pid,
      program.as_ptr(),
      plan.actions.as_ptr(),
      attributes.as_ptr(),
      argv.as_ptr(),
      envp.as_ptr(),
    )
  };
  check("posix_spawn", outcome).map_err(|error| blame_directory(error, spec.cwd.as_deref()))?;
  let pid = Pid::from_raw(pid).ok_or_else(|| Error::from_errno("posix_spawn", libc::ESRCH))?;
  Ok(Child::new(pid, Sentinel::new(sentinel, pid)?))
}

/// `posix_spawn` does not tell whether the program or the directory was at fault. The directory was, if there is
/// something wrong with it.
fn blame_directory(error: Error, cwd: Option<&Path>) -> Error {
  let of_a_path = matches!(error.errno(), Some(libc::ENOENT | libc::ENOTDIR | libc::EACCES));
  match cwd.filter(|_| of_a_path).map(fs::metadata) {
    Some(Err(reason)) => Error::new("chdir", reason),
    Some(Ok(found)) if !found.is_dir() => Error::from_errno("chdir", libc::ENOTDIR),
    _ => error,
  }
}

/// An array of pointers as `exec` wants it, null at its end.
fn pointers(strings: &[CString]) -> Vec<*mut libc::c_char> {
  strings.iter().map(|string| string.as_ptr().cast_mut()).chain([ptr::null_mut()]).collect()
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
  use std::os::fd::AsRawFd;
  use std::time::{Duration, Instant};

  use rustix::io::{FdFlags, fcntl_setfd};

  use super::*;

  const WATCHDOG: Duration = Duration::from_secs(60);

  fn open_in(pid: u32) -> Vec<RawFd> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).expect("the child lives");
    let mut open: Vec<RawFd> = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    open.sort_unstable();
    open
  }

  #[test]
  fn exactly_the_given_descriptors_are_open_however_the_others_are_closed() {
    let (read_end, write_end) = std::io::pipe().unwrap();
    // Descriptors that an exec would pass on: at the next free number, and far above all targets.
    let leaked = rustix::io::fcntl_dupfd_cloexec(&read_end, 0).unwrap();
    let leaked_high = rustix::io::fcntl_dupfd_cloexec(&read_end, 300).unwrap();
    for leak in [&leaked, &leaked_high] {
      fcntl_setfd(leak, FdFlags::empty()).unwrap();
    }
    // One target is the number of a leaked descriptor, one that of its own source.
    let targets = [(read_end.as_fd(), leaked.as_raw_fd()), (write_end.as_fd(), write_end.as_raw_fd())];
    let spec = SpawnSpec {
      program: "/bin/sleep".into(),
      args: vec!["1000".into()],
      fds: targets.to_vec(),
      ..SpawnSpec::default()
    };
    let mut expected = vec![0, 1, 2, leaked.as_raw_fd(), write_end.as_raw_fd()];
    expected.sort_unstable();

    for others in [CloseOthers::Listed, CloseOthers::best()] {
      let plan = DescriptorPlan::new(&spec, others).unwrap();
      let mut child = spawn_by(&spec, &plan, SentinelKind::WaitPid).unwrap();
      let start = Instant::now();
      // The dynamic linker of the child opens files of its own for a moment.
      let mut open = open_in(child.pid());
      while open != expected && start.elapsed() < WATCHDOG {
        std::thread::sleep(Duration::from_millis(1));
        open = open_in(child.pid());
      }
      child.signal(libc::SIGKILL).unwrap();
      assert!(child.wait_timeout(WATCHDOG).unwrap().is_some());
      assert_eq!(open, expected);
    }
  }

  #[test]
  fn the_table_of_descriptors_is_as_large_from_the_start_as_it_is_needed() {
    let spec = SpawnSpec { program: "/bin/sleep".into(), args: vec!["1000".into()], ..SpawnSpec::default() };
    let mut child = spawn(&spec, SentinelKind::WaitPid).unwrap();
    let status = fs::read_to_string(format!("/proc/{}/status", child.pid())).unwrap();
    child.signal(libc::SIGKILL).unwrap();
    assert!(child.wait_timeout(WATCHDOG).unwrap().is_some());
    let size: RawFd = status.lines().find_map(|line| line.strip_prefix("FDSize:")).unwrap().trim().parse().unwrap();
    assert!(size > way_out().unwrap(), "{size}");
  }
}
